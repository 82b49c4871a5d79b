/** @file fake_pcscf.h  A P-CSCF and all behind it in one, that answers as told
 *
 * As usual: a REGISTER without an answer to its challenge gets 401 (MD5), with
 * the right one 200.
 */
#ifndef SIPSHARE_TESTS_FAKE_PCSCF_H
#define SIPSHARE_TESTS_FAKE_PCSCF_H

struct element;
struct sipep;

/** The test looks into it and sets the replies */
struct fake_pcscf {
	struct sipep *ep;
	char uri[80];         /**< "sip:127.0.0.1:5060" */
	const char *password; /**< that is right */
	int status;           /**< answered instead of 200; 0: as usual */
	int expires_s;        /**< granted */
	int registers;        /**< that came */
	int registered;       /**< answered 200 */
	int invites;          /**< passed on */
	char contact[128], aor[128], user[128];
};

struct fake_pcscf *fake_pcscf_new(struct element *el);
struct fake_pcscf *fake_pcscf_free(struct fake_pcscf *fr);

#endif
