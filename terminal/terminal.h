/** @file terminal.h  The user terminals (UEs) of one process
 *
 * Holds 1 to 100,000 UEs on one SIP endpoint; a UE is told apart by the user
 * part of its Contact. The units 011 to 014 of CN103516675A, Fig. 6 and 7,
 * are files of their own: terminal_send_011.c, terminal_recv_012.c,
 * terminal_register_013.c, terminal_release_014.c.
 */
#ifndef SIPSHARE_TERMINAL_H
#define SIPSHARE_TERMINAL_H

struct element;
struct terminal;

/** As on the command line; borrowed until terminal_new() returns */
struct terminal_cfg {
	const char *sip;       /**< "127.0.0.1:5060", port 0: any */
	const char *appserver; /**< "https://127.0.0.1:8443" */
	const char *ca;        /**< PEM; the AS's certificate must be of it */
	const char *proxy;     /**< P-CSCF of accounts of our own; or NULL */
	const char *number;    /**< by hand: the real number, E.164; or NULL */
	const char *secret;    /**< by hand: its login secret */
};

int terminal_new(struct terminal **tp, struct element *el,
		 const struct terminal_cfg *cfg, char **reasonp);
struct terminal *terminal_free(struct terminal *terminal);
const char *terminal_sip_addr(const struct terminal *terminal);
int terminal_exit_code(const struct terminal *terminal);

#endif
