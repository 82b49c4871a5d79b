/* Control commands of calls: what the runner tells a UE's user to do */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/ctl.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/mem.h"
#include "terminal/terminal_call.h"
#include "terminal/terminal_core.h"

static const char *const mode_names[UE_ANSWER_N] = { "auto", "ring",
						     "busy", "decline",
						     "none", "waiting" };

static json_t *call_json(const struct ue_call *call)
{
	struct rtp_counts counts = call->counts;

	if (call->rtp)
		rtp_get_counts(call->rtp, &counts);

	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:s*, "
			 "s:s*}",
			 "state", fsm_name(call->fsm), "direction",
			 call->is_outgoing ? "out" : "in", "peer", call->peer,
			 "shown", call->shown, "status", call->status,
			 "rtp_sent", (int)counts.sent, "rtp_received",
			 (int)counts.received, "rtp_late", (int)counts.late,
			 "rtp_foreign", (int)counts.foreign, "reason",
			 call->reason, "call", call->call_id);
}

/* A refusal is an answer as well: data, not a failure */
static void on_dialled(const struct ue_call *call, void *arg)
{
	struct ctl_req *req = arg;

	if (!call)
		ctl_fail(req, "the terminal ends");
	else
		ctl_ok(req, json_pack("{s:i, s:s*, s:s*}", "status",
				      call->status, "reason", call->reason,
				      "call", call->call_id));
}

static void on_told(const struct ue_call *call, void *arg)
{
	struct ctl_req *req = arg;

	if (!call)
		ctl_fail(req, "the terminal ends");
	else
		ctl_ok(req, call_json(call));
}

/* Dial as the arguments say; NULL: the command has failed already */
static struct ue_call *dial(struct ctl_req *req, json_t *args,
			    const struct terminal *t)
{
	const char *number, *to, *display = NULL;
	struct ue *ue = terminal_ctl_find(req, args, t);
	struct ue_call *call = NULL;
	char *reason = NULL;
	json_error_t error;

	if (!ue)
		return NULL;

	if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s, s:s, s?s}",
			   "number", &number, "to", &to, "display", &display)) {
		ctl_fail(req, "terminal: call: %s", error.text);
		return NULL;
	}
	if (ue_call_dial(&call, ue, to, display, &reason)) {
		ctl_fail(req, "terminal: %s", reason);
		free(reason);
		return NULL;
	}

	return call;
}

static void cmd_call(struct ctl_req *req, json_t *args, void *arg)
{
	struct ue_call *call = dial(req, args, arg);

	if (call)
		ue_call_wait(call, false, on_dialled, req);
}

static void cmd_start_call(struct ctl_req *req, json_t *args, void *arg)
{
	const struct ue_call *call = dial(req, args, arg);

	if (call)
		ctl_ok(req, json_pack("{s:s}", "call", call->call_id));
}

static void fail_state(struct ctl_req *req, const struct ue *ue,
		       const char *what)
{
	if (ue->call)
		ctl_fail(req,
			 "terminal: %s has nothing to %s: its call with %s is "
			 "%s",
			 ue->number, what, ue->call->peer,
			 fsm_name(ue->call->fsm));
	else
		ctl_fail(req, "terminal: %s has nothing to %s: it has no call",
			 ue->number, what);
}

typedef int user_act(struct ue *ue, call_done_cb *cb, void *arg);

static void act(struct ctl_req *req, json_t *args, const struct terminal *t,
		user_act *fn, const char *what)
{
	struct ue *ue = terminal_ctl_find(req, args, t);

	if (ue && fn(ue, on_told, req))
		fail_state(req, ue, what);
}

static void cmd_answer(struct ctl_req *req, json_t *args, void *arg)
{
	act(req, args, arg, ue_answer, "answer");
}

static void cmd_hangup(struct ctl_req *req, json_t *args, void *arg)
{
	act(req, args, arg, ue_hangup, "hang up");
}

static void cmd_cancel(struct ctl_req *req, json_t *args, void *arg)
{
	act(req, args, arg, ue_cancel, "cancel");
}

static void cmd_answer_mode(struct ctl_req *req, json_t *args, void *arg)
{
	struct ue *ue = terminal_ctl_find(req, args, arg);
	const char *name = json_string_value(json_object_get(args, "mode"));
	int mode = 0;

	if (!ue)
		return;

	while (name && mode < UE_ANSWER_N &&
	       strcmp(mode_names[mode], name) != 0)
		mode++;
	if (!name || mode == UE_ANSWER_N) {
		ctl_fail(req,
			 "terminal: answer_mode \"%s\" is none of auto, ring, "
			 "busy, decline, none, waiting",
			 name ? name : "");
		return;
	}
	ue->answer_mode = mode;
	ctl_ok(req, NULL);
}

/* The active call, or else what the last one was; and the one that waits */
static void cmd_call_state(struct ctl_req *req, json_t *args, void *arg)
{
	const struct ue *ue = terminal_ctl_find(req, args, arg);
	const struct ue_call *call;
	json_t *result;

	if (!ue)
		return;

	call = ue->call ? ue->call : ue->ended;
	result = call ? call_json(call)
		      : json_pack("{s:s, s:i, s:i}", "state", "idle",
				  "rtp_sent", 0, "rtp_received", 0);
	if (ue->waiting)
		json_object_set_new(result, "waiting", call_json(ue->waiting));
	ctl_ok(req, result);
}

static const struct ctl_cmd cmds[] = { { "call", cmd_call },
				       { "start_call", cmd_start_call },
				       { "answer", cmd_answer },
				       { "hangup", cmd_hangup },
				       { "cancel", cmd_cancel },
				       { "answer_mode", cmd_answer_mode },
				       { "call_state", cmd_call_state },
				       { NULL, NULL } };

/** Take the commands of calls */
void terminal_call_ctl_open(struct terminal *t)
{
	element_commands(t->el, cmds, t);
}
