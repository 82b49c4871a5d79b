#include "common/halt.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/ctl.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"

/** Owned by the element; one point at a time */
struct halt {
	struct trace *trace;
	struct ctl *ctl;
	char *event; /* NULL: nowhere */
	json_t *fields;
	json_int_t left; /* how often it still has to come */
};

static void clear(struct halt *halt)
{
	free(halt->event);
	json_decref(halt->fields);
	halt->event = NULL;
	halt->fields = NULL;
}

static bool is_here(const struct halt *halt, const json_t *line)
{
	const char *name = json_string_value(json_object_get(line, "name"));
	json_t *value;
	const char *key;

	if (!halt->event || !name || strcmp(name, halt->event) != 0)
		return false;

	json_object_foreach(halt->fields, key,
			    value) if (!json_equal(json_object_get(line, key),
						   value)) return false;

	return true;
}

/* Not raise(SIGSTOP): the runner may send its SIGCONT before we come to it.
 * Blocked, it is kept for us */
static void tell_and_wait(struct halt *halt, const json_t *line)
{
	sigset_t cont, before;
	int signo;

	sigemptyset(&cont);
	sigaddset(&cont, SIGCONT);
	(void)sigprocmask(SIG_BLOCK, &cont, &before);
	/* what was traced before this point has left us, if we die here */
	ctl_tx(halt->ctl, json_pack("{s:O}", "halted", (json_t *)line));
	ctl_flush(halt->ctl);
	(void)sigwait(&cont, &signo);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static void on_event(const json_t *line, void *arg)
{
	struct halt *halt = arg;

	if (!is_here(halt, line) || --halt->left > 0)
		return;

	log_info("halted at %s", halt->event);
	clear(halt);
	tell_and_wait(halt, line);
}

/** Halts nowhere yet */
struct halt *halt_new(struct trace *trace, struct ctl *ctl)
{
	struct halt *halt = xcalloc(1, sizeof(*halt));

	halt->trace = trace;
	halt->ctl = ctl;

	return halt;
}

struct halt *halt_free(struct halt *halt)
{
	if (halt) {
		trace_set_watch(halt->trace, NULL, NULL);
		clear(halt);
		free(halt);
	}

	return NULL;
}

/**
 * Halt when an event comes, once; it takes the place of the one before
 *
 * @param where {"event": its name, "fields": {name: value} that it must have,
 *              "count": how often it must have come, from 1}, the last two as
 *              wished
 *
 * @return 0, or EINVAL: it is none of that
 */
int halt_at(struct halt *halt, const json_t *where)
{
	const char *event = json_string_value(json_object_get(where, "event"));
	json_t *fields = json_object_get(where, "fields");
	const json_t *count = json_object_get(where, "count");

	if (!event || (fields && !json_is_object(fields)) ||
	    (count && json_integer_value(count) < 1))
		return EINVAL;

	clear(halt);
	halt->event = xstrdup(event);
	halt->fields = fields ? json_deep_copy(fields) : json_object();
	halt->left = count ? json_integer_value(count) : 1;
	trace_set_watch(halt->trace, on_event, halt);

	return 0;
}
