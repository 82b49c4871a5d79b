/** @file pki.h  A private CA and a certificate for each element
 *
 * `<dir>/ca.pem` is the CA's certificate, `<dir>/ca-key.pem` its key, and
 * `<dir>/<name>.pem` an element's certificate and key in one file. EC P-256,
 * files of mode 0600. What is there and still good is kept.
 */
#ifndef SIPSHARE_PKI_H
#define SIPSHARE_PKI_H

int pki_make(const char *dir, const char *const *names,
	     const char *const *hosts, char **reasonp);

#endif
