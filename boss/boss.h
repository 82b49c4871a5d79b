/** @file boss.h  BOSS: opens accounts at the HSS, gives them to the platform
 *
 * Business & Operation Support System (CN103516675A [0076] [0077]). Accounts
 * are opened by SOAP, by range and rule or from a file; the batch goes to the
 * platform as a text file or as an HTTPS message.
 */
#ifndef SIPSHARE_BOSS_H
#define SIPSHARE_BOSS_H

#include <stdbool.h>

#include <jansson.h>

struct boss;
struct element;

/** Strings are borrowed until boss_new() returns */
struct boss_cfg {
	const char *hss;       /**< https://host:port, of the provisioning */
	const char *platform;  /**< https://host:port; NULL: only by file */
	const char *https;     /**< listen: "127.0.0.1:8443"; NULL: nowhere */
	const char *cert, *ca; /**< PEM files */
	const char *bind;      /**< local address; NULL: any */
	const char *realm;     /**< of the accounts */
	const char *pool_file; /**< NULL: only by message */
	const char *store;     /**< file, or "memory" */
};

/** What to do once, when started by hand; borrowed while it runs */
struct boss_shot {
	const char *open_range; /**< FIRST-LAST */
	const char *rule;       /**< of open_range */
	const char *open_list;  /**< file */
	bool sync_file, sync_message;
};

int boss_new(struct boss **bossp, struct element *el,
	     const struct boss_cfg *cfg, char **reasonp);
struct boss *boss_free(struct boss *boss);
int boss_shoot(struct boss *boss, const struct boss_shot *shot, char **reasonp);
json_t *boss_addresses(const struct boss *boss);
bool boss_has_failed(const struct boss *boss);

#endif
