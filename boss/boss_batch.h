/** @file boss_batch.h  Lists of accounts, and their text files
 *
 * What is to be opened, what the HSS reports, what is remembered, what is given
 * to the platform: all are lists of accounts, with passwords that are wiped.
 */
#ifndef SIPSHARE_BOSS_BATCH_H
#define SIPSHARE_BOSS_BATCH_H

#include <stdbool.h>
#include <stddef.h>

/** What the BOSS remembers of an account, as boss_account.status */
#define BOSS_OPENING "opening" /**< the HSS was asked, and has not answered */
#define BOSS_OPENED "opened"   /**< the HSS has it; the platform has not */
#define BOSS_GIVEN "given"     /**< the platform has it, and its password */
#define BOSS_CLOSED "closed"   /**< never to be given again */

/** One account; strings are owned by its list */
struct boss_account {
	char *number, *uri, *impi, *password, *status;
	bool is_interrupted; /**< ours: opening, and nobody waits for it */
};

/** Accounts of a file, of a report, or all that are remembered */
struct boss_list {
	struct boss_account *v;
	size_t n, room;
};

struct boss_account *boss_list_add(struct boss_list *list);
struct boss_account *boss_list_copy(struct boss_list *list,
				    const struct boss_account *a);
bool boss_account_is(const struct boss_account *a, const char *status);
void boss_account_set_password(struct boss_account *a, const char *password);
void boss_account_clear(struct boss_account *a);
void boss_list_clear(struct boss_list *list);
size_t boss_list_count(const struct boss_list *list, const char *status);
int boss_batch_read(struct boss_list *list, const char *file, const char *realm,
		    char **reasonp);
int boss_pool_read(struct boss_list *list, const char *file, char **reasonp);
int boss_pool_write(const struct boss_list *list, const char *file,
		    const char *realm, char **reasonp);

#endif
