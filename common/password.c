#include "common/password.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/mem.h"

enum { RANDOM_BYTES = 18, PASSWORD_LEN = 4 * RANDOM_BYTES / 3 };

/**
 * 144 random bits as 24 characters, none of them special in a URI, in XML or
 * in a file of fields
 *
 * @return To be wiped and freed; NULL: the system has no randomness to give
 */
char *password_random(void)
{
	unsigned char raw[RANDOM_BYTES];
	char *text = xcalloc(1, PASSWORD_LEN + 1);

	if (RAND_bytes(raw, sizeof(raw)) != 1) {
		free(text);
		return NULL;
	}
	EVP_EncodeBlock((unsigned char *)text, raw, sizeof(raw));
	for (char *c = text; *c; c++) {
		if (*c == '+')
			*c = '-';
		else if (*c == '/')
			*c = '_';
	}
	OPENSSL_cleanse(raw, sizeof(raw));

	return text;
}
