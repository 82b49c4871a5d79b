/** @file fake_hss.h  An HSS that answers as the test says, and records
 *
 * Its element must be another than the one under test: each has its own
 * trace and hold. Fields may be read and set between turns of the loop.
 */
#ifndef SIPSHARE_TESTS_FAKE_HSS_H
#define SIPSHARE_TESTS_FAKE_HSS_H

#include "common/cx.h"

struct element;

enum { FAKE_HSS_TEXT = 256 };

/** The last request's fields, "" where absent */
struct fake_hss_seen {
	char impi[FAKE_HSS_TEXT], impu[FAKE_HSS_TEXT];
	char visited_network[FAKE_HSS_TEXT], scheme[FAKE_HSS_TEXT];
	char server_name[FAKE_HSS_TEXT];
	enum cx_auth_type auth_type;
	enum cx_sat sat;
	uint32_t item_n;
	bool has_user_data, is_originating;
};

struct fake_hss {
	/* requests seen since the start */
	int uar_n, mar_n, sar_n, lir_n;
	struct fake_hss_seen seen;

	/* what it answers; strings are borrowed: the test keeps them */
	struct cx_uaa uaa; /**< FIRST_REGISTRATION, server_name set */
	struct cx_maa maa; /**< impi, impu NULL: the request's */
	struct cx_saa saa; /**< impi NULL: the request's; profile */
	struct cx_lia lia;
	bool is_silent; /**< requests are counted and never answered */

	/* answers to fake_hss_rtr() */
	int rta_n, rta_err;
	struct cx_result rta;

	struct cx_server *server;
};

struct fake_hss *fake_hss_new(struct element *el);
struct fake_hss *fake_hss_free(struct fake_hss *hss);
const char *fake_hss_addr(const struct fake_hss *hss);
/** Answer MARs with this one item (algorithm "MD5" or "SHA-256"; HA1 in hex) */
void fake_hss_set_digest(struct fake_hss *hss, const char *realm,
			 const char *algorithm, const char *ha1);
void fake_hss_rtr(struct fake_hss *hss, const char *impi, const char *impu,
		  enum cx_reason reason);

#endif
