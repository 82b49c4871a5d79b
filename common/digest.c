#include "common/digest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static const char *const names[DIGEST_ALG_N] = { "MD5", "SHA-256" };

/** As in the algorithm parameter */
const char *digest_alg_name(enum digest_alg alg)
{
	return names[alg];
}

/** Read an algorithm parameter; NULL is MD5 (RFC 7616 3.3). EINVAL: unknown */
int digest_alg_parse(enum digest_alg *algp, const char *name)
{
	for (int i = 0; i < DIGEST_ALG_N; i++) {
		if (!name || !strcasecmp(name, names[i])) {
			*algp = (enum digest_alg)i;
			return 0;
		}
	}

	return EINVAL;
}

static void to_hex(char *hex, const unsigned char *in, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", in[i]);
}

/* H(a ":" b ":" …), NULL ends the list; the parts are not copied */
static void hash(char *hex, enum digest_alg alg, const char *const *parts)
{
	const EVP_MD *md = alg == DIGEST_MD5 ? EVP_md5() : EVP_sha256();
	unsigned char out[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned len = 0;

	if (!ctx || !EVP_DigestInit_ex(ctx, md, NULL))
		abort(); /* no memory, or an OpenSSL without these hashes */

	for (int i = 0; parts[i]; i++) {
		if (i)
			EVP_DigestUpdate(ctx, ":", 1);
		EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]));
	}
	EVP_DigestFinal_ex(ctx, out, &len);
	EVP_MD_CTX_free(ctx); /* wipes its state */
	to_hex(hex, out, len);
	OPENSSL_cleanse(out, sizeof(out));
}

/** H(user:realm:password) in hex (RFC 7616 3.4.2). As secret as the password:
 * wipe it after use */
void digest_ha1(char hex[static DIGEST_HEX_LEN], enum digest_alg alg,
		const char *user, const char *realm, const char *password)
{
	const char *parts[] = { user, realm, password, NULL };

	hash(hex, alg, parts);
}

/** The response parameter (RFC 7616 3.4.1; without qop RFC 2617 3.2.2.1) */
void digest_response(char hex[static DIGEST_HEX_LEN],
		     const struct digest_input *in)
{
	char body[DIGEST_HEX_LEN] = "", ha2[DIGEST_HEX_LEN] = "";
	const char *entity[] = { in->body ? in->body : "", NULL };
	const char *a2[] = { in->method, in->uri, NULL, NULL };
	const char *with_qop[] = { in->ha1, in->nonce, in->nc, in->cnonce,
				   in->qop, ha2,       NULL };
	const char *without[] = { in->ha1, in->nonce, ha2, NULL };

	if (in->qop && !strcasecmp(in->qop, "auth-int")) {
		hash(body, in->alg, entity);
		a2[2] = body;
	}
	hash(ha2, in->alg, a2);
	hash(hex, in->alg, in->qop && *in->qop ? with_qop : without);
}

/** Compare two hex strings, without regard to case, in constant time */
bool digest_equal(const char *a, const char *b)
{
	size_t len = strlen(a);
	int differ = 0;

	if (len != strlen(b))
		return false;

	for (size_t i = 0; i < len; i++) {
		int x = a[i] >= 'A' && a[i] <= 'F' ? a[i] | 0x20 : a[i];
		int y = b[i] >= 'A' && b[i] <= 'F' ? b[i] | 0x20 : b[i];

		differ |= x ^ y;
	}

	return !differ;
}

/** 128 random bits in hex: a nonce, a cnonce, a token */
void digest_nonce(char hex[static DIGEST_HEX_LEN])
{
	unsigned char random[16];

	if (RAND_bytes(random, sizeof(random)) != 1)
		abort(); /* never go on with a nonce that can be guessed */
	to_hex(hex, random, sizeof(random));
}
