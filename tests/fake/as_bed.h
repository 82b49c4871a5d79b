/** @file as_bed.h  One AS between a fake platform and a terminal's HTTPS side
 *
 * All on one loop, with a store that outlives the AS. as_bed_new() makes it
 * whole; as_bed_stop() and as_bed_start() are a restart.
 */
#ifndef SIPSHARE_TESTS_AS_BED_H
#define SIPSHARE_TESTS_AS_BED_H

#include <jansson.h>

#include "tests/fake/fake_platform.h"

struct appserver;
struct https_client;
struct loop;

#define ALICE "+8613800138000"
#define BOB "+8613800138001"

/** What the AS answered */
struct as_answered {
	int status; /**< 0: nothing yet, or nothing came */
	int retry_after_s;
	bool is_done;
	json_t *body; /**< or NULL */
	char text[512];
};

struct as_bed {
	char dir[64];
	struct loop *loop;
	struct element *as_el, *platform_el, *terminal_el;
	struct appserver *as;
	struct fake_platform *platform;
	struct https_client *client;
	char url[64];
	char platform_url[64];
	char *token;               /**< sent with each request; NULL: none */
	const char *number_policy; /**< for the next start; NULL: replace */
	const char *chain;         /**< likewise; NULL: alone */
	struct as_answered last;
	json_t *cdr; /**< the last charging record; NULL: none yet */
	int cdrs;
	char events[4096]; /**< names of the AS's events, each with a ' ' */
};

struct as_bed *as_bed_new(void);
struct as_bed *as_bed_free(struct as_bed *bed);
void as_bed_start(struct as_bed *bed);
void as_bed_stop(struct as_bed *bed);

void as_bed_send(struct as_bed *bed, const char *path, const char *body);
int as_bed_wait(struct as_bed *bed);
void as_bed_hang_up(struct as_bed *bed);
int as_bed_post(struct as_bed *bed, const char *path, const char *body);
int as_bed_ask(struct as_bed *bed, const char *path, const char *number);
void as_bed_login(struct as_bed *bed, const char *number, const char *secret);
const char *as_bed_field(const struct as_bed *bed, const char *name);
void as_bed_turns(struct as_bed *bed, const int *count, int wanted);
void as_bed_settle(struct as_bed *bed, const char *state);

#endif
