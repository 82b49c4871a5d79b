/** @file numrange.h  Ranges of E.164 numbers, and the rule that makes SIP-URIs
 *
 * Accounts are opened in bulk by a first number, a last number and a rule
 * (CN103516675A [0076]), so both ends of the provisioning service read them:
 * `+8657110000001` to `+8657110000005` by `sip:{number}@ims.test`.
 */
#ifndef SIPSHARE_NUMRANGE_H
#define SIPSHARE_NUMRANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NUMBER_DIGITS_MAX = 15, /**< ITU-T E.164 6.2.1 */
	NUMBER_TEXT_LEN = 17,   /**< '+', digits, NUL */
	NUMRANGE_MAX = 100000,  /**< numbers in one range, or one list */
	SIPURI_TEXT_MAX = 255,
	PASSWORD_TEXT_MAX = 128
};

/** Numbers of one length, all with a '+' or all without; leading zeros kept */
struct numrange {
	uint64_t first;
	uint32_t count; /**< 1 to NUMRANGE_MAX */
	int digits;
	bool has_plus;
};

int number_check(const char *number, char **reasonp);
int numrange_parse(struct numrange *range, const char *first, const char *last,
		   char **reasonp);
void numrange_at(char text[static NUMBER_TEXT_LEN],
		 const struct numrange *range, uint32_t i);

int numrule_check(const char *rule, char **reasonp);
char *numrule_apply(const char *rule, const char *number);

int sipuri_check(const char *uri, const char *realm, char **reasonp);
int password_check(const char *password, char **reasonp);

#endif
