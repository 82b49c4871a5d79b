/** @file hss_bed.h  A real HSS on a test's loop, with a private CA
 *
 * The HSS has its element; the CSCF or BOSS under test has another.
 */
#ifndef SIPSHARE_TESTS_HSS_BED_H
#define SIPSHARE_TESTS_HSS_BED_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct element;
struct hss;
struct loop;

enum { BED_TEXT = 256 };

#define BED_SCSCF "sip:scscf.ims.test:5060"

/** One loop, the HSS's element and the peer's; files below dir */
struct hss_bed {
	struct loop *loop;
	struct element *el, *peer;
	struct hss *hss;
	char dir[BED_TEXT], store[BED_TEXT], ca[BED_TEXT];
	char diameter[BED_TEXT], url[BED_TEXT]; /**< where it listens */
	json_t *events; /**< the HSS's trace, lines of kind event */
};

void hss_bed_setup(struct hss_bed *bed, const char *peer_name);
void hss_bed_teardown(struct hss_bed *bed);
/** End the HSS and start it again on the same store */
void hss_bed_restart(struct hss_bed *bed);
/** PEM of an actor: "boss" and "appserver" have one; static text */
const char *hss_bed_cert(const struct hss_bed *bed, const char *name);
/** Open sip:USER@ims.test with a password, within the HSS */
void hss_bed_open(struct hss_bed *bed, const char *user, const char *number,
		  const char *password);
/** The account's row as "state scscf", "" if there is none; static text */
const char *hss_bed_user(struct hss_bed *bed, const char *impu);
/** How many events of a name there were */
size_t hss_bed_count(const struct hss_bed *bed, const char *name);
void hss_bed_wait(struct hss_bed *bed, const int *counter, int n);

#endif
