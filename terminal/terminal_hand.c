/* One UE by hand: --number and --secret play the whole sequence, and say how
 * each step went; SIGTERM gives the SIP-URI back */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/element.h"
#include "common/fsm.h"
#include "common/mem.h"
#include "terminal/terminal.h"
#include "terminal/terminal_core.h"

static void on_login(json_t *result, const char *error, void *arg);
static void on_request(json_t *result, const char *error, void *arg);
static void on_register(json_t *result, const char *error, void *arg);
static void on_release(json_t *result, const char *error, void *arg);

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* What came before has failed: give back what there is, and end with 1 */
static void fail(struct terminal *t, const char *error)
{
	fprintf(stderr, "terminal: %s\n", error);
	t->exit_code = EXIT_FAIL;
	t->is_draining = true;
	if (!t->hand->lease || fsm_state(t->hand->fsm) == UE_ENDED ||
	    ue_start(t->hand, UE_EV_RELEASE, on_release, t))
		element_stop(t->el);
}

static void go(struct terminal *t, enum ue_event op, ue_done_cb *cb)
{
	char *why;

	if (!ue_start(t->hand, op, cb, t))
		return;

	why = ue_why_not(t->hand, op);
	fail(t, why);
	free(why);
}

static void on_login(json_t *result, const char *error, void *arg)
{
	struct terminal *t = arg;

	(void)result;
	if (error) {
		fail(t, error);
		return;
	}
	say("logged in at %s as %s", t->appserver, t->hand->number);
	go(t, UE_EV_REQUEST, on_request);
}

static void on_request(json_t *result, const char *error, void *arg)
{
	struct terminal *t = arg;

	if (error) {
		fail(t, error);
		return;
	}
	say("SIP-URI %s, lease %lld, for %lld s",
	    json_string_value(json_object_get(result, "uri")),
	    (long long)json_integer_value(json_object_get(result, "lease_id")),
	    (long long)json_integer_value(
		    json_object_get(result, "expires_s")));
	go(t, UE_EV_REGISTER, on_register);
}

static void on_register(json_t *result, const char *error, void *arg)
{
	struct terminal *t = arg;

	if (error) {
		fail(t, error);
		return;
	}
	say("registered for %lld s; SIGTERM or Ctrl-C gives the SIP-URI back",
	    (long long)json_integer_value(
		    json_object_get(result, "expires_s")));
}

static void on_release(json_t *result, const char *error, void *arg)
{
	struct terminal *t = arg;

	(void)result;
	if (error) {
		fprintf(stderr, "terminal: %s\n", error);
		t->exit_code = EXIT_FAIL;
	} else {
		say("SIP-URI given back, and wiped from memory");
	}
	element_stop(t->el);
}

/** Begin the sequence of the UE that the command line gives */
void terminal_hand_start(struct terminal *t, const struct terminal_cfg *cfg)
{
	t->hand = ue_new(t, cfg->number, cfg->secret);
	go(t, UE_EV_LOGIN, on_login);
}

/** SIGTERM: give back; without a SIP-URI, or in the middle of something, end.
 * What is not given back ends with its lease. */
void terminal_hand_term(struct terminal *t)
{
	t->is_draining = true;
	if (!t->hand->lease || ue_start(t->hand, UE_EV_RELEASE, on_release, t))
		element_stop(t->el);
}
