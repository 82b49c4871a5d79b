#include "common/https_tls.h"

#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/mem.h"
#include "common/tls_secrets.h"

static char *file_reason(const char *file, const char *what)
{
	unsigned long code = ERR_peek_error();
	const char *why = "it cannot be used";
	char *text;

	if (ERR_SYSTEM_ERROR(code))
		why = strerror(ERR_GET_REASON(code));
	else if (code && ERR_reason_error_string(code))
		why = ERR_reason_error_string(code);
	text = xasprintf("%s: no %s could be read: %s", file, what, why);
	ERR_clear_error();

	return text;
}

static SSL_CTX *new_ctx(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		return NULL;

	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	/* each connection is for itself: nothing is resumed */
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);

	return ctx;
}

static int use_cert(SSL_CTX *ctx, const char *file, char **reasonp)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(ctx, file) != 1) {
		*reasonp = file_reason(file, "certificate");
		return EINVAL;
	}
	if (SSL_CTX_use_PrivateKey_file(ctx, file, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1) {
		*reasonp = file_reason(file, "key of its certificate");
		return EINVAL;
	}

	return 0;
}

static int use_ca(SSL_CTX *ctx, const char *file, int mode, char **reasonp)
{
	ERR_clear_error();
	if (SSL_CTX_load_verify_file(ctx, file) != 1) {
		*reasonp = file_reason(file, "CA certificate");
		return EINVAL;
	}
	SSL_CTX_set_verify(ctx, mode, NULL);

	return 0;
}

/**
 * A server's context: TLS 1.3 alone
 *
 * @param cert_file PEM with certificate and key
 * @param ca_file   PEM; a client must show a certificate of it. NULL: none is
 *                  asked for
 * @param reasonp   On failure: which file, and what is wrong; the caller's
 *
 * @return The caller's to SSL_CTX_free(), NULL on failure
 */
SSL_CTX *https_tls_server(const char *cert_file, const char *ca_file,
			  char **reasonp)
{
	SSL_CTX *ctx = new_ctx(TLS_server_method());
	int err = ctx ? use_cert(ctx, cert_file, reasonp) : 0;

	if (ctx && !err && ca_file)
		err = use_ca(ctx, ca_file,
			     SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			     reasonp);
	if (!ctx)
		*reasonp = xstrdup("OpenSSL gives no TLS 1.3 context");
	if (err) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}

	return ctx;
}

/** A client's context; cert_file may be NULL. Otherwise as the server's */
SSL_CTX *https_tls_client(const char *cert_file, const char *ca_file,
			  char **reasonp)
{
	SSL_CTX *ctx = new_ctx(TLS_client_method());
	int err = 0;

	if (ctx && !ca_file) {
		*reasonp = xstrdup("a CA file is needed to know a server by");
		err = EINVAL;
	}
	if (ctx && !err)
		err = use_ca(ctx, ca_file, SSL_VERIFY_PEER, reasonp);
	if (ctx && !err && cert_file)
		err = use_cert(ctx, cert_file, reasonp);
	if (!ctx)
		*reasonp = xstrdup("OpenSSL gives no TLS 1.3 context");
	if (err) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}

	return ctx;
}

static void on_secret(const SSL *ssl, const char *line)
{
	tls_secrets_write(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)), line);
}

/** Write the keys of all connections down; secrets, which live as long as the
 * context, may be NULL: then nothing leaves it */
void https_tls_reveal(SSL_CTX *ctx, struct tls_secrets *secrets)
{
	if (!secrets)
		return;

	SSL_CTX_set_app_data(ctx, secrets);
	SSL_CTX_set_keylog_callback(ctx, on_secret);
}

/** The server's certificate must be for this IP address (RFC 9110 4.3.5); 0 or
 * EINVAL */
int https_tls_expect(SSL *ssl, const char *host)
{
	return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
		       ? 0
		       : EINVAL;
}

/** What a peer says by an alert (RFC 8446 6.2) */
const char *https_tls_alert_text(int alert)
{
	switch (alert) {
	case SSL_AD_CERTIFICATE_REQUIRED:
		return "the server demands a client certificate";
	case SSL_AD_UNKNOWN_CA:
		return "the peer does not know the CA of our certificate";
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
		return "the peer does not accept our certificate";
	case SSL_AD_CERTIFICATE_EXPIRED:
		return "our certificate has expired, says the peer";
	case SSL_AD_PROTOCOL_VERSION:
		return "the peer does not speak TLS 1.3";
	default:
		return SSL_alert_desc_string_long(alert);
	}
}

/** What our own end found wrong */
const char *https_tls_error_text(unsigned long code)
{
	if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
		switch (ERR_GET_REASON(code)) {
		case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
			return "it showed no client certificate";
		case SSL_R_HTTP_REQUEST:
			return "plain HTTP came on a TLS port";
		case SSL_R_WRONG_VERSION_NUMBER:
		case SSL_R_PACKET_LENGTH_TOO_LONG:
			return "what came is not TLS";
		case SSL_R_UNEXPECTED_EOF_WHILE_READING:
			return "the connection was closed without notice";
		default:
			break;
		}
	}

	return ERR_reason_error_string(code);
}

/** The common name in the peer's certificate, the caller's to free; NULL: it
 * showed none */
char *https_tls_peer_name(const SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	char cn[256];

	if (!cert ||
	    X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
				      NID_commonName, cn, sizeof(cn)) < 0)
		return NULL;

	return xstrdup(cn);
}
