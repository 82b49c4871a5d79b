/** @file sipreg.h  REGISTER client with digest (RFC 3261 10.2, 22.2)
 *
 * The terminal registers with it, the platform deregisters with it, and the
 * S-CSCF sends third-party REGISTERs with it.
 */
#ifndef SIPSHARE_SIPREG_H
#define SIPSHARE_SIPREG_H

struct sipep;
struct sipreg;

/** One REGISTER; all copied. The password is wiped with the object */
struct sipreg_cfg {
	const char *registrar; /**< Request-URI: "sip:ims.test" */
	const char *next_hop;  /**< "sip:127.1.1.1:5060"; NULL: registrar */
	const char *aor;       /**< To, public identity */
	const char *from;      /**< From; NULL: aor (third party: the S-CSCF) */
	const char *user;      /**< private identity; NULL: no credentials */
	const char *password;
	const char *contact;          /**< "sip:…"; "*" with expires_s 0 */
	int expires_s;                /**< 0 deregisters */
	const char *extra;            /**< further header lines, or NULL */
	const char *body, *body_type; /**< or NULL */
};

/** What came back: status 0 never; text is the reason phrase, or what was
 * wrong with the answer. Granted seconds on 200. Called once. */
struct sipreg_result {
	int status;
	const char *phrase;
	int expires_s;
	const char *service_route;  /**< as header text, or NULL */
	const char *associated_uri; /**< P-Associated-URI, or NULL */
};

typedef void sipreg_cb(const struct sipreg_result *result, void *arg);

struct sipreg *sipreg_new(struct sipep *ep, const struct sipreg_cfg *cfg,
			  sipreg_cb *cb, void *arg);
void sipreg_start(struct sipreg *reg, int expires_s);
struct sipreg *sipreg_free(struct sipreg *reg);

#endif
