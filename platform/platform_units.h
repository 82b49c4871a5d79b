/** @file platform_units.h  The patent's units 021 to 023, and unit 021's file
 *
 * CN103516675A Fig. 8: receiving, identifier-allocating and sending unit.
 */
#ifndef SIPSHARE_PLATFORM_UNITS_H
#define SIPSHARE_PLATFORM_UNITS_H

#include "platform/platform_core.h"

/* platform_account.c */
int plat_account_check(const json_t *account, char **reasonp);
int plat_accounts_check(const json_t *accounts, char **reasonp);

/* platform_file.c */
int plat_file_read(json_t **accountsp, const char *path, char **reasonp);
int plat_file_new(struct plat_file **fp, struct plat *plat, const char *path,
		  char **reasonp);
struct plat_file *plat_file_free(struct plat_file *file);

/* platform_recv_021.c */
int plat_recv_open(struct plat *plat, const struct plat_cfg *cfg,
		   char **reasonp);
void plat_recv_batch(struct plat *plat, struct https_req *req,
		     const json_t *accounts, const char *by);

/* platform_alloc_022.c */
void plat_alloc(struct plat *plat, struct https_req *req, const char *key);

void plat_alloc_again(struct plat *plat, struct https_req *req,
		      const char *key);

/* platform_waiting.c */
bool plat_wait(struct plat *plat, struct plat_job *job);
void plat_waiting_serve(struct plat *plat);
void plat_waiting_refuse(struct plat *plat);
void plat_waiting_close(struct plat *plat);

/* platform_send_023.c */
void plat_send_lease(struct https_req *req, const struct plat_row *row);
void plat_send_exhausted(struct https_req *req, struct plat *plat);
void plat_send_reclaimed(struct https_req *req, const struct plat_job *job,
			 const struct plat_row *row);
void plat_send_broken(struct https_req *req, const char *what);

#endif
