#include "common/conduct.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/ctl.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/mem.h"

/** Owned by the element */
struct conduct {
	struct loop *loop;
	struct ctl *ctl;
	struct hold *hold;
	struct ctl_req *req; /* that waits for us to be idle; or NULL */
};

static void on_idle(void *arg)
{
	struct conduct *c = arg;
	struct ctl_req *req = c->req;

	c->req = NULL;
	ctl_ok(req, json_pack("{s:I, s:I, s:I}", "clock_us",
			      (json_int_t)clock_now_us(), "acted",
			      (json_int_t)loop_acted(c->loop), "due_us",
			      (json_int_t)loop_due_us(c->loop)));
	/* at once: a turn to write it would be something to do */
	ctl_flush(c->ctl);
}

/* Whoever asked before is asking again, or has been paused since */
static void drop_req(struct conduct *c)
{
	if (c->req)
		ctl_fail(c->req, "asked again, or ended");
	c->req = NULL;
	loop_when_idle(c->loop, NULL, NULL);
}

static void hold_all(struct conduct *c)
{
	hold_start(c->hold);
	loop_ignore_fd(c->loop, ctl_fd(c->ctl));
}

/** Of a process that has only just begun: the time is clock_us, exactly, and
 * what is received is held */
void conduct_begin_at(struct conduct *c, int64_t clock_us)
{
	clock_take_over_at(clock_us);
	hold_all(c);
}

/** Stop our clock, at clock_us or where it is if that is later, and hold what
 * is received from now on */
void conduct_start(struct conduct *c, int64_t clock_us)
{
	if (!clock_is_virtual()) {
		clock_take_over();
		hold_all(c);
	}
	clock_set_us(clock_us);
}

/** Let the clock go on, and all that is held */
void conduct_end(struct conduct *c)
{
	if (!clock_is_virtual())
		return;
	clock_give_back();
	drop_req(c);
	hold_stop(c->hold);
}

static void cmd_conduct(struct ctl_req *req, json_t *args, void *arg)
{
	const json_t *clock_us = json_object_get(args, "clock_us");
	struct conduct *c = arg;

	if (!json_is_integer(clock_us)) {
		ctl_fail(req, "conduct needs {\"clock_us\": microseconds}");
		return;
	}
	drop_req(c);
	conduct_start(c, json_integer_value(clock_us));
	c->req = req;
	loop_when_idle(c->loop, on_idle, c);
}

static void cmd_conduct_end(struct ctl_req *req, json_t *args, void *arg)
{
	(void)args;
	conduct_end(arg);
	ctl_ok(req, NULL);
}

static const struct ctl_cmd questions[] = {
	{ "conduct", cmd_conduct },
	{ NULL, NULL },
};

static const struct ctl_cmd cmds[] = {
	{ "conduct-end", cmd_conduct_end },
	{ NULL, NULL },
};

/** Not conducted yet; takes its two commands. ctl, loop and hold are borrowed
 */
struct conduct *conduct_new(struct loop *loop, struct ctl *ctl,
			    struct hold *hold)
{
	struct conduct *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->ctl = ctl;
	c->hold = hold;
	ctl_add_questions(ctl, questions, c);
	ctl_add_commands(ctl, cmds, c);

	return c;
}

struct conduct *conduct_free(struct conduct *conduct)
{
	if (conduct)
		drop_req(conduct);
	free(conduct);

	return NULL;
}
