/** @file fsm.h  State machines as tables
 *
 * A table of states says what may come in and what may follow. fsm_goto()
 * makes, logs and traces every change; an event that the state does not
 * accept is logged with both names and refused.
 */
#ifndef SIPSHARE_FSM_H
#define SIPSHARE_FSM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/timer.h"

#define FSM_BIT(n) (1u << (n))

struct fsm;
struct trace;

/** All that happens in one state. obj is the machine's owner; data belongs to
 * the event and is borrowed */
typedef void fsm_action(void *obj, int event, void *data);

/** One state. Rows are indexed by the state's enum */
struct fsm_state {
	const char *name;    /**< the standard's name */
	uint32_t accepts;    /**< FSM_BIT of each event that may come */
	uint32_t next;       /**< FSM_BIT of each state that may follow */
	enum timer_id timer; /**< started on entry, TIMER_NONE: none */
	fsm_action *action;
};

/** A machine's description, static */
struct fsm_def {
	const char *name; /**< as in logs and traces: "scscf.reg" */
	const struct fsm_state *states;
	int state_n;
	const char *const *events; /**< names, indexed by the event's enum */
	int event_n;
	int timeout_event; /**< what a state's timer gives */
};

struct fsm *fsm_new(struct loop *loop, struct trace *trace,
		    const struct fsm_def *def, const char *id, void *obj);
struct fsm *fsm_free(struct fsm *fsm);
void fsm_restore(struct fsm *fsm, int state);
int fsm_event(struct fsm *fsm, int event, void *data);
bool fsm_leads_to(const struct fsm *fsm, int state);
void fsm_goto(struct fsm *fsm, int state);
void fsm_timer_ms(struct fsm *fsm, int64_t delay_ms);
int fsm_state(const struct fsm *fsm);
const char *fsm_name(const struct fsm *fsm);

#endif
