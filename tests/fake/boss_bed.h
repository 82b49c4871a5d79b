/** @file boss_bed.h  A BOSS between a real HSS and a platform that takes what
 * it is sent
 */
#ifndef SIPSHARE_TESTS_BOSS_BED_H
#define SIPSHARE_TESTS_BOSS_BED_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "boss/boss.h"
#include "common/ctl.h"
#include "tests/fake/hss_bed.h"

struct https_server;

/** What each test has; its process is its own */
struct boss_bed {
	struct hss_bed bed;
	struct element *platform_el;
	struct https_server *platform;
	struct boss *boss;
	struct ctl *runner;
	char batch[BED_TEXT], pool[BED_TEXT], store[BED_TEXT];
	char platform_url[BED_TEXT];
	json_t *pool_seen; /* accounts that the platform was sent */
	int puts, put_status, answers;
	bool counts_wrongly;
	json_t *result;
	char *error;
};

extern struct boss_bed boss_bed;

void boss_bed_setup(void);
void boss_bed_teardown(void);
/** End the BOSS, if there is one, and start it on the same store, with a runner
 * at its control channel */
void boss_bed_start(void);
/** Begin a command, whose answer boss_bed.answers counts; args are stolen */
void boss_bed_begin(const char *name, json_t *args);
/** Give a command and wait for what it gives; args are stolen */
void boss_bed_command(const char *name, json_t *args);
void boss_bed_open_range(const char *first, const char *last);
void boss_bed_sync(const char *by);
/** The last command failed, and said this */
void boss_bed_expect_error(const char *text);
/** Of the last command, which went well: a number, an account's status */
json_int_t boss_bed_number(const char *name);
const char *boss_bed_status(size_t i);
/** The file of accounts to be opened: boss_bed.batch */
void boss_bed_write_batch(const char *text);
/** The pool file's text, static */
const char *boss_bed_pool_text(void);

#endif
