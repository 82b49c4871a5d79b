/** @file tls_secrets.h  The keys of our TLS connections, revealed on demand
 *
 * A file in the key log format of NSS, which Wireshark and SSLKEYLOGFILE know.
 * Whoever has it reads all that was sent: nothing is written unless it is asked
 * for by --reveal-tls-secrets, and never to the log or the trace.
 */
#ifndef SIPSHARE_TLS_SECRETS_H
#define SIPSHARE_TLS_SECRETS_H

struct tls_secrets;

int tls_secrets_open(struct tls_secrets **sp, const char *path, char **reasonp);
struct tls_secrets *tls_secrets_free(struct tls_secrets *secrets);
void tls_secrets_write(struct tls_secrets *secrets, const char *line);

#endif
