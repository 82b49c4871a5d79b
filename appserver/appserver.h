/** @file appserver.h  The application server (AS) of CN103516675A
 *
 * Terminals log in and ask for a SIP-URI over HTTPS; the AS gets it from the
 * platform, binds it to the terminal's real number, and gives it back. The
 * S-CSCF tells it by third-party REGISTER who is registered (TS 24.229
 * 5.4.1.7).
 */
#ifndef SIPSHARE_APPSERVER_H
#define SIPSHARE_APPSERVER_H

#include <stdbool.h>

struct appserver;
struct element;

/** As on the command line; borrowed until as_new() returns */
struct appserver_cfg {
	const char *https;         /**< for terminals: "127.0.0.1:8443" */
	const char *sip;           /**< ISC: "127.0.0.1:5060" */
	const char *scscf;         /**< the only host that may send third-party
					REGISTERs; NULL: any */
	const char *store;         /**< file, or "memory" */
	const char *cert;          /**< PEM, certificate and key */
	const char *ca;            /**< PEM; the platform must be of it */
	const char *platform;      /**< "https://127.0.0.1:8443" */
	const char *users;         /**< file, a line a user; NULL: none */
	const char *realm;         /**< of the IMS: "ims.test" */
	const char *proxy;         /**< P-CSCF that terminals are told */
	const char *cdr;           /**< file of charging records; NULL: none */
	const char *number_policy; /**< for a foreign number in a call:
					"replace" it or "refuse" the call */
	const char *chain;         /**< which AS of a call's: "alone" or NULL,
					"first", "last" */
	int calls_max;             /**< of one caller at once */
};

int as_new(struct appserver **asp, struct element *el,
	   const struct appserver_cfg *cfg, char **reasonp);
struct appserver *as_free(struct appserver *as);
const char *as_https_addr(const struct appserver *as);
const char *as_sip_addr(const struct appserver *as);
bool as_is_ready(const struct appserver *as);

#endif
