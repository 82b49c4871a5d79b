/* Stepping in a browser: the page of the run, and what its student asks for */
#include "sim/sim_step_core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "sim/sim_bed.h"
#include "sim/sim_conduct.h"
#include "sim/sim_page.h"
#include "sim/sim_report.h"
#include "sim/sim_web.h"

/** Owned by the command */
struct sim_step_web {
	struct sim_step_web_cfg cfg;
	struct sim_stepper *step;
	struct sim_web *web; /* NULL until the testbed is up */
	int64_t start_us;
	char *capture;
};

struct sim_step_web *sim_step_web_new(const struct sim_step_web_cfg *cfg)
{
	struct sim_step_web *w = xcalloc(1, sizeof(*w));

	w->cfg = *cfg;

	return w;
}

struct sim_step_web *sim_step_web_free(struct sim_step_web *w)
{
	if (!w)
		return NULL;

	sim_web_free(w->web);
	free(w->capture);
	free(w);

	return NULL;
}

/* --- what is shown --- */

static json_t *held_data(const struct sim_step_web *w, size_t i)
{
	const struct sim_held *held = sim_stepper_held(w->step, i);
	size_t entry = sim_stepper_entry(w->step, held);
	const struct sim_label *lb = sim_stepper_labels(w->step);
	bool is_known = entry < sim_trace_count(sim_label_trace(lb));

	return json_pack("{s:I, s:s, s:o, s:i, s:b}", "entry",
			 is_known ? (json_int_t)entry : -1, "actor",
			 sim_actor_name(held->actor), "what",
			 sim_label_text_json(held->what), "number",
			 (int)held->number, "next", i == 0);
}

static json_t *live_data(const struct sim_step_web *w)
{
	static const char *const states[] = {
		[STEP_STARTING] = "running", [STEP_RUNNING] = "running",
		[STEP_HELD] = "held",        [STEP_OVER] = "over",
		[STEP_LEFT] = "running",     [STEP_FAILED] = "over",
	};
	const struct sim_run *run = sim_stepper_run(w->step);
	const char *expect = sim_lua_steps(run->lua);
	char *sentence = sim_stepper_sentence(w->step, SIM_ENGLISH);
	json_t *held = json_array();
	json_t *live;

	for (size_t i = 0; i < sim_stepper_held_count(w->step); i++)
		json_array_append_new(held, held_data(w, i));
	live = json_pack("{s:s, s:o, s:I, s:o}", "state",
			 states[sim_stepper_state(w->step)], "held", held,
			 "clock_us", (json_int_t)(clock_now_us() - w->start_us),
			 "message", sim_label_text_json(sentence));
	if (expect)
		json_object_set_new(live, "expect", json_string(expect));
	free(sentence);

	return live;
}

static void on_changed(void *arg)
{
	const struct sim_step_web *w = arg;
	const struct sim_run *run = sim_stepper_run(w->step);
	const struct sim_report report = { run->name, run->file,
					   run->verdict ? run->verdict : "",
					   sim_lua_reason(run->lua) };
	json_t *data = sim_report_data(&report, sim_stepper_labels(w->step));

	json_object_set_new(data, "live", live_data(w));
	sim_web_show(w->web, data);
}

/* The page links to the capture, and says how it ended: both are there now */
static void on_over(void *arg)
{
	struct sim_step_web *w = arg;
	struct sim_run *run = sim_stepper_run(w->step);

	(void)sim_run_report(run);
	w->capture = xasprintf("%s/capture.pcapng", run->folder.path);
	on_changed(w);
	printf("The page stays until you leave it there, or press Ctrl-C.\n");
	(void)fflush(stdout);
}

/* --- what is asked for --- */

static int on_command(const char *command, const char *ref, void *arg,
		      char **reasonp)
{
	const struct sim_step_web *w = arg;

	if (!strcmp(command, "next"))
		return sim_stepper_next(w->step, reasonp);
	if (!strcmp(command, "until"))
		return sim_stepper_until(w->step, ref, reasonp);
	if (!strcmp(command, "end"))
		return sim_stepper_end(w->step, reasonp);
	if (!strcmp(command, "quit")) {
		sim_stepper_quit(w->step);
		return 0;
	}
	*reasonp = xasprintf("there is no command \"%s\"", command);

	return EINVAL;
}

static const char *capture(void *arg)
{
	const struct sim_step_web *w = arg;

	return w->capture;
}

static const struct sim_web_ops web_ops = { on_command, capture };

/* --- for the stepper --- */

static int on_open(struct sim_stepper *step, void *arg, char **reasonp)
{
	struct sim_step_web *w = arg;
	int err = sim_web_new(&w->web, w->cfg.loop, w->cfg.listen, &web_ops, w,
			      reasonp);

	if (err)
		return err;

	w->step = step;
	w->start_us = clock_now_us();
	on_changed(w);
	printf("Step through it at %s\n", sim_web_url(w->web));
	(void)fflush(stdout);
	if (isatty(STDOUT_FILENO))
		(void)sim_page_open(sim_web_url(w->web));

	return 0;
}

static void on_forget(void *arg)
{
	(void)arg; /* it keeps no labels */
}

const struct sim_stepper_ops sim_step_web_ops = { on_open, on_forget,
						  on_changed, on_over };
