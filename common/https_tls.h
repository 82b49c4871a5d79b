/** @file https_tls.h  TLS 1.3 contexts and names, for both ends (RFC 8446) */
#ifndef SIPSHARE_HTTPS_TLS_H
#define SIPSHARE_HTTPS_TLS_H

#include <stddef.h>

#include <openssl/ssl.h>

struct tls_secrets;

SSL_CTX *https_tls_server(const char *cert_file, const char *ca_file,
			  char **reasonp);
SSL_CTX *https_tls_client(const char *cert_file, const char *ca_file,
			  char **reasonp);
void https_tls_reveal(SSL_CTX *ctx, struct tls_secrets *secrets);
int https_tls_expect(SSL *ssl, const char *host);
const char *https_tls_alert_text(int alert);
const char *https_tls_error_text(unsigned long code);
char *https_tls_peer_name(const SSL *ssl);

#endif
