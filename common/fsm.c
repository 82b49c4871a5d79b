#include "common/fsm.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"

/** Owned by the object whose states these are */
struct fsm {
	const struct fsm_def *def;
	struct trace *trace;
	struct timer *timer;
	char *id;
	void *obj;
	int state;
};

static void on_timer(void *arg)
{
	struct fsm *fsm = arg;

	(void)fsm_event(fsm, fsm->def->timeout_event, NULL);
}

/**
 * A machine in state 0
 *
 * @param id  Object's id for logs and traces, copied
 * @param obj Given to the actions; borrowed
 */
struct fsm *fsm_new(struct loop *loop, struct trace *trace,
		    const struct fsm_def *def, const char *id, void *obj)
{
	struct fsm *fsm = xcalloc(1, sizeof(*fsm));

	fsm->def = def;
	fsm->trace = trace;
	fsm->id = xstrdup(id);
	fsm->obj = obj;
	fsm->timer = timer_new(loop, on_timer, fsm);

	return fsm;
}

struct fsm *fsm_free(struct fsm *fsm)
{
	if (fsm) {
		timer_free(fsm->timer);
		free(fsm->id);
		free(fsm);
	}

	return NULL;
}

/** Begin in another state than 0: a machine that is read back from a store.
 * Nothing has changed here, so nothing is traced, and no timer runs */
void fsm_restore(struct fsm *fsm, int state)
{
	timer_stop(fsm->timer);
	fsm->state = state;
}

/**
 * Let the present state's action see an event. The machine may be gone when
 * this returns, if the action freed its owner.
 *
 * @return 0, or EPROTO where the state does not accept it (logged)
 */
int fsm_event(struct fsm *fsm, int event, void *data)
{
	const struct fsm_state *state = &fsm->def->states[fsm->state];

	if (!(state->accepts & FSM_BIT(event))) {
		log_warn("%s %s %s: refused event %s", fsm->def->name, fsm->id,
			 state->name, fsm->def->events[event]);
		return EPROTO;
	}

	log_debug("%s %s %s: %s", fsm->def->name, fsm->id, state->name,
		  fsm->def->events[event]);
	state->action(fsm->obj, event, data);

	return 0;
}

/** Whether the table lets that state follow */
bool fsm_leads_to(const struct fsm *fsm, int state)
{
	return fsm->def->states[fsm->state].next & FSM_BIT(state);
}

/** Change state; it must be one that the table lets follow */
void fsm_goto(struct fsm *fsm, int state)
{
	const struct fsm_state *from = &fsm->def->states[fsm->state];
	const struct fsm_state *to = &fsm->def->states[state];

	assert(fsm_leads_to(fsm, state));
	log_info("%s %s %s -> %s", fsm->def->name, fsm->id, from->name,
		 to->name);
	trace_event(fsm->trace, "fsm",
		    json_pack("{s:s, s:s, s:s, s:s}", "machine", fsm->def->name,
			      "id", fsm->id, "from", from->name, "to",
			      to->name));
	fsm->state = state;
	if (to->timer)
		timer_start_ms(fsm->timer, timer_value_ms(to->timer));
	else
		timer_stop(fsm->timer);
}

/** Have the timeout event of this state after delay_ms instead */
void fsm_timer_ms(struct fsm *fsm, int64_t delay_ms)
{
	timer_start_ms(fsm->timer, delay_ms);
}

int fsm_state(const struct fsm *fsm)
{
	return fsm->state;
}

/** The present state's name */
const char *fsm_name(const struct fsm *fsm)
{
	return fsm->def->states[fsm->state].name;
}
