#include "common/pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "common/clock.h"
#include "common/mem.h"

/* Years a certificate is good for, and the hours before now from which: the
 * clocks of two machines differ */
enum { DAY_S = 86400, VALID_DAYS = 3650, EARLIER_DAYS = 1, RENEW_DAYS = 30 };

/** A certificate with its key; both owned */
struct identity {
	X509 *cert;
	EVP_PKEY *key;
};

/** What a certificate says; borrowed */
struct subject {
	const char *cn;
	const char *san; /**< as OpenSSL writes it: "DNS:a,IP:1.2.3.4"; NULL:
			      a CA */
};

static void identity_clear(struct identity *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
	*id = (struct identity){ NULL, NULL };
}

static char *openssl_reason(const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = code ? ERR_reason_error_string(code) : NULL;
	char *text = xasprintf("%s: %s", what, why ? why : "OpenSSL failed");

	ERR_clear_error();

	return text;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	bool is_ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	is_ok = ext && X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);

	return is_ok;
}

static bool set_validity(X509 *cert)
{
	time_t now = (time_t)clock_wall_s();

	return X509_time_adj_ex(X509_getm_notBefore(cert), -EARLIER_DAYS, 0,
				&now) &&
	       X509_time_adj_ex(X509_getm_notAfter(cert), VALID_DAYS, 0, &now);
}

/* A random serial number: positive, 127 bits (RFC 5280 4.1.2.2) */
static bool set_serial(X509 *cert)
{
	unsigned char bytes[16];
	BIGNUM *n = NULL;
	bool is_ok = RAND_bytes(bytes, sizeof(bytes)) == 1;

	bytes[0] = (bytes[0] & 0x7f) | 0x40;
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	is_ok = is_ok && n &&
		BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
	BN_free(n);

	return is_ok;
}

static bool set_extensions(X509 *cert, X509 *issuer, const struct subject *who)
{
	bool is_ca = !who->san;

	return add_extension(cert, issuer, NID_basic_constraints,
			     is_ca ? "critical,CA:TRUE,pathlen:0"
				   : "critical,CA:FALSE") &&
	       add_extension(cert, issuer, NID_key_usage,
			     is_ca ? "critical,keyCertSign,cRLSign"
				   : "critical,digitalSignature") &&
	       add_extension(cert, issuer, NID_subject_key_identifier,
			     "hash") &&
	       add_extension(cert, issuer, NID_authority_key_identifier,
			     "keyid:always") &&
	       (is_ca ||
		(add_extension(cert, issuer, NID_ext_key_usage,
			       "serverAuth,clientAuth") &&
		 add_extension(cert, issuer, NID_subject_alt_name, who->san)));
}

/* A new key and certificate; ca NULL: it signs itself (RFC 5280 4) */
static bool make(struct identity *id, const struct identity *ca,
		 const struct subject *who)
{
	X509_NAME *name;
	X509 *cert;

	id->key = EVP_EC_gen("P-256");
	cert = id->cert = X509_new();
	if (!id->key || !cert)
		return false;

	name = X509_get_subject_name(cert);
	if (!X509_set_version(cert, X509_VERSION_3) || !set_serial(cert) ||
	    !set_validity(cert) || !X509_set_pubkey(cert, id->key) ||
	    !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					(const unsigned char *)who->cn, -1, -1,
					0))
		return false;
	if (!X509_set_issuer_name(cert,
				  ca ? X509_get_subject_name(ca->cert) : name))
		return false;

	return set_extensions(cert, ca ? ca->cert : cert, who) &&
	       X509_sign(cert, ca ? ca->key : id->key, EVP_sha256());
}

/* Writes beside the file and renames: no reader finds half a file */
static int write_pem(const char *path, X509 *cert, EVP_PKEY *key,
		     char **reasonp)
{
	char *tmp = xasprintf("%s.new", path);
	int fd, err = 0;
	FILE *f = NULL;

	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		f = fdopen(fd, "w");
	if (!f) {
		err = errno;
		goto out;
	}
	if ((cert && !PEM_write_X509(f, cert)) ||
	    (key && !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL)))
		err = EIO;
	if (fclose(f) && !err)
		err = errno;
	if (!err && rename(tmp, path))
		err = errno;

out:
	if (err) {
		*reasonp = xasprintf("%s cannot be written: %s", path,
				     strerror(err));
		(void)unlink(tmp);
	}
	free(tmp);

	return err;
}

static void read_pem(const char *path, X509 **certp, EVP_PKEY **keyp)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return;

	if (certp)
		*certp = PEM_read_X509(f, NULL, NULL, NULL);
	if (keyp) {
		rewind(f);
		*keyp = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	}
	fclose(f);
	ERR_clear_error();
}

static bool is_valid_long(const X509 *cert)
{
	time_t later = (time_t)clock_wall_s() + RENEW_DAYS * (time_t)DAY_S;

	return X509_cmp_time(X509_get0_notAfter(cert), &later) > 0;
}

/* Whether a certificate names just the hosts that are wanted */
static bool has_san(const X509 *cert, const char *san)
{
	int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);
	X509_EXTENSION *want, *have = at < 0 ? NULL : X509_get_ext(cert, at);
	X509V3_CTX ctx;
	bool is_same;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	want = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, san);
	is_same = want && have &&
		  !ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(want),
					 X509_EXTENSION_get_data(have));
	X509_EXTENSION_free(want);

	return is_same;
}

static bool is_good(const struct identity *id, const struct identity *ca,
		    const struct subject *who)
{
	return id->cert && id->key &&
	       X509_check_private_key(id->cert, id->key) == 1 &&
	       is_valid_long(id->cert) &&
	       X509_verify(id->cert, ca ? ca->key : id->key) == 1 &&
	       (!who->san || has_san(id->cert, who->san));
}

static int get_ca(struct identity *ca, const char *dir, char **reasonp)
{
	static const struct subject who = { "sipshare private CA", NULL };
	char *cert_path = xasprintf("%s/ca.pem", dir);
	char *key_path = xasprintf("%s/ca-key.pem", dir);
	int err = 0;

	read_pem(cert_path, &ca->cert, NULL);
	read_pem(key_path, NULL, &ca->key);
	if (is_good(ca, NULL, &who))
		goto out;

	identity_clear(ca);
	if (!make(ca, NULL, &who)) {
		*reasonp = openssl_reason("the CA's certificate");
		err = EIO;
		goto out;
	}
	err = write_pem(key_path, NULL, ca->key, reasonp);
	if (!err)
		err = write_pem(cert_path, ca->cert, NULL, reasonp);

out:
	ERR_clear_error();
	free(cert_path);
	free(key_path);

	return err;
}

static bool is_word(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return len > 0 && text[0] != '.' && strspn(text, allowed) >= len;
}

/* Adds one host to the names in *sanp */
static int add_host(char **sanp, const char *host, size_t len, char **reasonp)
{
	char *text = xstrndup(host, len), *longer;
	struct in6_addr in6;
	bool is_ip = inet_pton(AF_INET, text, &in6) == 1 ||
		     inet_pton(AF_INET6, text, &in6) == 1;
	int err = is_ip || is_word(text, len) ? 0 : EINVAL;

	if (err) {
		*reasonp = xasprintf("\"%s\" is neither an IP address nor a "
				     "host name; hosts are separated by commas",
				     text);
	} else {
		longer = xasprintf("%s,%s:%s", *sanp, is_ip ? "IP" : "DNS",
				   text);
		free(*sanp);
		*sanp = longer;
	}
	free(text);

	return err;
}

/* "127.0.0.1,as.test" of element as gives "DNS:as,IP:127.0.0.1,DNS:as.test" */
static int make_san(char **sanp, const char *name, const char *hosts,
		    char **reasonp)
{
	char *san = xasprintf("DNS:%s", name);
	int err = 0;

	while (!err && hosts && *hosts) {
		size_t len = strcspn(hosts, ",");

		err = add_host(&san, hosts, len, reasonp);
		hosts += len + (hosts[len] == ',');
	}
	if (err)
		free(san);
	else
		*sanp = san;

	return err;
}

static int make_element(const struct identity *ca, const char *dir,
			const struct subject *who, char **reasonp)
{
	char *path = xasprintf("%s/%s.pem", dir, who->cn);
	struct identity id = { NULL, NULL };
	int err = 0;

	read_pem(path, &id.cert, &id.key);
	if (is_good(&id, ca, who))
		goto out;

	identity_clear(&id);
	if (make(&id, ca, who)) {
		err = write_pem(path, id.cert, id.key, reasonp);
	} else {
		*reasonp = openssl_reason(path);
		err = EIO;
	}

out:
	ERR_clear_error();
	identity_clear(&id);
	free(path);

	return err;
}

/**
 * Make, or keep, a private CA and one certificate for each element
 *
 * Every certificate serves as server's and as client's, CN is the element's
 * name, and the SAN holds that name and its hosts (RFC 6125: a client looks
 * at the SAN alone). A certificate is made anew when it is of another CA, for
 * other hosts, or ends within 30 days.
 *
 * @param dir     Folder; made with mode 0700 if it is not there
 * @param names   Elements' names, NULL behind the last
 * @param hosts   For each name its IP addresses and host names, separated by
 *                commas; an entry may be NULL
 * @param reasonp On failure: what and where; the caller's to free
 *
 * @return 0, EINVAL for a name or host that cannot be, or what the file
 *         system said
 */
int pki_make(const char *dir, const char *const *names,
	     const char *const *hosts, char **reasonp)
{
	struct identity ca = { NULL, NULL };
	int err;

	if (mkdir(dir, 0700) && errno != EEXIST) {
		err = errno;
		*reasonp = xasprintf("the folder %s cannot be made: %s", dir,
				     strerror(err));
		return err;
	}

	err = get_ca(&ca, dir, reasonp);
	for (int i = 0; !err && names[i]; i++) {
		struct subject who = { names[i], NULL };
		char *san = NULL;

		if (!is_word(names[i], strlen(names[i])) ||
		    !strcmp(names[i], "ca") || !strcmp(names[i], "ca-key")) {
			*reasonp = xasprintf("\"%s\" cannot be an element's "
					     "name: letters, digits, - _ .",
					     names[i]);
			err = EINVAL;
			break;
		}
		err = make_san(&san, names[i], hosts ? hosts[i] : NULL,
			       reasonp);
		who.san = san;
		if (!err)
			err = make_element(&ca, dir, &who, reasonp);
		free(san);
	}
	identity_clear(&ca);

	return err;
}
