#include "tests/fake/hss_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/element.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pki.h"
#include "common/timer.h"
#include "common/trace.h"
#include "ims_core/hss/hss_core.h"

#include "ims_core/hss/hss_accounts.h"
#include "tests/patience.h"

static void on_trace(const char *line, size_t len, void *arg)
{
	struct hss_bed *bed = arg;
	json_t *msg = json_loadb(line, len, 0, NULL);
	const char *kind = json_string_value(json_object_get(msg, "kind"));

	if (kind && !strcmp(kind, "event"))
		json_array_append(bed->events, msg);
	json_decref(msg);
}

const char *hss_bed_cert(const struct hss_bed *bed, const char *name)
{
	static char path[2 * BED_TEXT];

	snprintf(path, sizeof(path), "%s/%s.pem", bed->dir, name);

	return path;
}

static void start(struct hss_bed *bed)
{
	const struct hss_cfg cfg = { .diameter = "127.0.0.1:0",
				     .soap = "127.0.0.1:0",
				     .store = bed->store,
				     .realm = "ims.test",
				     .cert = hss_bed_cert(bed, "hss"),
				     .ca = bed->ca,
				     .scscf = BED_SCSCF,
				     .appservers = { { "sip:as.ims.test" },
						     1 } };
	char *reason = NULL;
	json_t *at;

	ck_assert_msg(!hss_new(&bed->hss, bed->el, &cfg, &reason), "%s",
		      reason ? reason : "no reason");
	at = hss_addresses(bed->hss);
	snprintf(bed->diameter, sizeof(bed->diameter), "%s",
		 json_string_value(json_object_get(at, "diameter")));
	snprintf(bed->url, sizeof(bed->url), "https://%s/provisioning",
		 json_string_value(json_object_get(at, "soap")));
	json_decref(at);
}

void hss_bed_setup(struct hss_bed *bed, const char *peer_name)
{
	static const char *const names[] = { "hss", "boss", "appserver",
					     "platform", NULL };
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.1",
					     "127.0.0.1", "127.0.0.1", NULL };
	const char *unused;
	char *reason = NULL;

	memset(bed, 0, sizeof(*bed));
	(void)log_set_level("error");
	/* 100,000 accounts under a sanitizer on a busy machine */
	(void)timer_override("https-request=60", &unused);
	strcpy(bed->dir, "/tmp/hss_bed.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(bed->dir));
	snprintf(bed->store, sizeof(bed->store), "%.200s/hss.db", bed->dir);
	snprintf(bed->ca, sizeof(bed->ca), "%.200s/ca.pem", bed->dir);
	ck_assert_msg(!pki_make(bed->dir, names, hosts, &reason), "%s",
		      reason ? reason : "no reason");
	bed->loop = loop_new();
	bed->el = element_new_on(bed->loop, "hss");
	bed->peer = element_new_on(bed->loop, peer_name);
	bed->events = json_array();
	trace_set_sink(bed->el->trace, on_trace, bed);
	start(bed);
}

void hss_bed_teardown(struct hss_bed *bed)
{
	char *command = xasprintf("rm -r %s", bed->dir);

	hss_free(bed->hss);
	element_free(bed->el);
	element_free(bed->peer);
	loop_free(bed->loop);
	json_decref(bed->events);
	ck_assert_int_eq(system(command), 0); /* NOLINT: our own folder */
	free(command);
}

void hss_bed_restart(struct hss_bed *bed)
{
	hss_free(bed->hss);
	start(bed);
}

/** A counter that a callback counts up, and its bound */
struct wait {
	const int *counter;
	int n;
};

static bool has_counted(const void *arg)
{
	const struct wait *w = arg;

	return *w->counter >= w->n;
}

void hss_bed_wait(struct hss_bed *bed, const int *counter, int n)
{
	const struct wait w = { counter, n };

	ck_assert(loop_run_until(bed->loop, has_counted, &w, PATIENCE_MS));
	ck_assert_int_eq(*counter, n);
}

static void on_opened(int err, struct hss_batch *batch, void *arg)
{
	int *counter = arg;

	ck_assert_int_eq(err, 0);
	ck_assert_str_eq(batch->v[0].status, "opened");
	++*counter;
}

void hss_bed_open(struct hss_bed *bed, const char *user, const char *number,
		  const char *password)
{
	struct hss_batch *batch = hss_batch_new(bed->hss);
	struct hss_account *a = hss_batch_add(batch);
	int counter = 0;

	a->uri = xasprintf("sip:%s@ims.test", user);
	a->number = xstrdup(number);
	a->password = xstrdup(password);
	hss_accounts_open(batch, on_opened, &counter);
	hss_bed_wait(bed, &counter, 1);
}

/** A row's text on its way out */
struct found {
	char text[BED_TEXT];
	int counter;
};

static void on_user(int err, const struct store_rows *rows, void *arg)
{
	struct found *found = arg;
	struct hss_user user;

	ck_assert_int_eq(err, 0);
	found->text[0] = '\0';
	if (hss_row_user(&user, rows, 0))
		snprintf(found->text, sizeof(found->text), "%s %s",
			 hss_state_name(&user.reg),
			 user.reg.scscf ? user.reg.scscf : "-");
	found->counter++;
}

const char *hss_bed_user(struct hss_bed *bed, const char *impu)
{
	static struct found found;

	found.counter = 0;
	hss_store_find(bed->hss, impu, NULL, on_user, &found);
	hss_bed_wait(bed, &found.counter, 1);

	return found.text;
}

size_t hss_bed_count(const struct hss_bed *bed, const char *name)
{
	size_t n = 0;
	size_t i;
	json_t *event;

	json_array_foreach(bed->events, i, event)
	{
		const char *is =
			json_string_value(json_object_get(event, "name"));

		n += is && !strcmp(is, name);
	}

	return n;
}
