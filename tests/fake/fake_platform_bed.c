#include "tests/fake/fake_platform_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <check.h>

#include "common/ctl.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "common/trace.h"
#include "tests/fake/fake_registrar.h"
#include "tests/patience.h"

/* Only our own decisions hold no password; messages must */
static void check_event(struct bed *bed, const json_t *event, const char *name,
			const char *line)
{
	json_t *counts = json_object_get(event, "counts");
	json_int_t sum = 0;
	const char *key;
	json_t *n;

	if (strstr(line, "pw1"))
		bed->secrets++;
	if (!strcmp(name, "platform.pool-imported"))
		bed->imports++;
	else if (!strcmp(name, "platform.pool-refused"))
		bed->refusals++;
	else if (!strcmp(name, "lease.state"))
		bed->states++;
	if (!counts || !bed->plat)
		return;

	json_object_foreach(counts, key, n)
	{
		sum += json_integer_value(n);
		if (json_integer_value(n) < 0)
			bed->bad_counts++;
	}
	if (sum != bed->plat->lease_n)
		bed->bad_counts++;
}

static void on_trace(const char *line, size_t len, void *arg)
{
	json_t *event = json_loadb(line, len, 0, NULL);
	const char *name = json_string_value(json_object_get(event, "name"));

	if (name)
		check_event(arg, event, name, line);
	json_decref(event);
}

/** A loop, a registrar that accepts all, and a folder */
void bed_start(struct bed *bed)
{
	bed->loop = loop_new();
	bed->registrar = fake_registrar_new(bed->loop);
	strcpy(bed->dir, "/tmp/test_platform.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(bed->dir));
	snprintf(bed->store, sizeof(bed->store), "%s/store", bed->dir);
	snprintf(bed->pool_file, sizeof(bed->pool_file), "%s/pool.txt",
		 bed->dir);
	bed->policy = "round-robin";
}

/** End all, with the folder */
void bed_stop(struct bed *bed)
{
	char cmd[BED_DIR_LEN + 16];

	bed->plat = plat_free(bed->plat);
	bed->registrar = fake_registrar_free(bed->registrar);
	bed->el = element_free(bed->el);
	bed->runner = ctl_free(bed->runner);
	bed->loop = loop_free(bed->loop);
	snprintf(cmd, sizeof(cmd), "rm -r %s", bed->dir);
	ck_assert_int_eq(system(cmd), 0); /* NOLINT: our own folder */
}

static bool is_idle(const void *arg)
{
	return LIST_EMPTY(&((const struct plat *)arg)->jobs);
}

static void connect_runner(struct bed *bed)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				    0, fds),
			 0);
	bed->runner = ctl_free(bed->runner);
	bed->runner = ctl_new(bed->loop, fds[0]);
	bed->el->ctl = ctl_new(bed->loop, fds[1]);
}

/** Start a platform, and wait until it has read its store */
void bed_platform(struct bed *bed)
{
	char *cert = xasprintf("%s/platform.pem", bed->dir);
	char *ca = xasprintf("%s/ca.pem", bed->dir);
	const struct plat_cfg cfg = {
		.https = "127.0.0.1:0",
		.sip = "127.0.0.1:0",
		.cert = cert,
		.ca = ca,
		.store = bed->store,
		.pcscf = fake_registrar_uri(bed->registrar),
		.policy = bed->policy,
		.pool_file = bed->has_pool_file ? bed->pool_file : NULL,
		.realm = "ims.test",
		.boss = bed->boss,
		.waiting_max = bed->waiting_max,
	};
	char *reason = NULL;
	int err;

	bed->el = element_new_on(bed->loop, "platform");
	trace_set_sink(bed->el->trace, on_trace, bed);
	if (bed->has_https)
		connect_runner(bed);
	err = bed->has_https
		      ? plat_new(&bed->plat, bed->el, &cfg, &reason)
		      : plat_core_new(&bed->plat, bed->el, &cfg, &reason);
	free(cert);
	free(ca);
	ck_assert_msg(!err, "%s", reason ? reason : "no reason");
	ck_assert(loop_run_until(bed->loop, is_idle, bed->plat, PATIENCE_MS));
}

/** End the platform and start it again on the same store */
void bed_restart(struct bed *bed)
{
	bed->plat = plat_free(bed->plat);
	bed->el = element_free(bed->el);
	bed_platform(bed);
}

/** Import sip:+86N@ims.test with password pw1, by message */
void bed_import(struct bed *bed, int first, int last)
{
	json_t *accounts = json_array();
	char uri[64];

	for (int i = first; i <= last; i++) {
		snprintf(uri, sizeof(uri), "sip:+86%d@ims.test", i);
		json_array_append_new(accounts,
				      json_pack("{s:s,s:s,s:s,s:s}", "uri", uri,
						"impi", uri + 4, "password",
						"pw1", "realm", "ims.test"));
	}
	plat_recv_batch(bed->plat, NULL, accounts, "message");
	json_decref(accounts);
	ck_assert(loop_run_until(bed->loop, is_idle, bed->plat, PATIENCE_MS));
}

/** The SIP-URI of that number, from 1 */
struct plat_lease *bed_lease(struct bed *bed, int number)
{
	ck_assert_int_le(number, bed->plat->lease_n);

	return bed->plat->leases[number - 1];
}

enum lease_state bed_state(struct bed *bed, int number)
{
	return (enum lease_state)fsm_state(bed_lease(bed, number)->fsm);
}

/** What bed_wait() waits for */
struct wanted {
	struct fsm *fsm;
	int state;
};

static bool is_there(const void *arg)
{
	const struct wanted *w = arg;

	return fsm_state(w->fsm) == w->state;
}

/** Run until the SIP-URI is in that state */
void bed_wait(struct bed *bed, int number, enum lease_state state)
{
	const struct wanted w = { bed_lease(bed, number)->fsm, (int)state };

	ck_assert_msg(loop_run_until(bed->loop, is_there, &w, PATIENCE_MS),
		      "number %d is %s, not %s", number, fsm_name(w.fsm),
		      lease_state_name(state));
}

static bool never(const void *arg)
{
	(void)arg;

	return false;
}

/** Let it run for that long: where nothing must happen */
void bed_settle(struct bed *bed, int ms)
{
	(void)loop_run_until(bed->loop, never, NULL, ms);
}

static void on_number(int err, const struct store_rows *rows, void *arg)
{
	ck_assert_int_eq(err, 0);
	*(int *)arg = (int)store_int(rows, 0, 0);
}

static bool is_known(const void *arg)
{
	return *(const int *)arg >= 0;
}

/** Have a SIP-URI given under this key; its number, 0 if none was idle */
int bed_give(struct bed *bed, const char *key)
{
	struct store_val vals[] = { STORE_S(key) };
	struct store_stmt find = { "SELECT number FROM account WHERE key = ?1",
				   vals, 1 };
	int number = -1;

	plat_alloc(bed->plat, NULL, key);
	store_run(bed->plat->store, &find, 1, on_number, &number);
	ck_assert(loop_run_until(bed->loop, is_known, &number, PATIENCE_MS));

	return number;
}

/** Set a timer, as on the command line */
void bed_timer(const char *assignment)
{
	const char *reason = NULL;

	ck_assert_msg(!timer_override(assignment, &reason), "%s", reason);
}
