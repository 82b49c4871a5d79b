#include "sim/sim_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/mem.h"
#include "sim/sim_bed.h"
#include "sim/sim_bill.h"
#include "sim/sim_invariant.h"
#include "sim/sim_label.h"
#include "sim/sim_ladder.h"
#include "sim/sim_live.h"
#include "sim/sim_report.h"
#include "sim/sim_run_result.h"
#include "sim/sim_trace.h"
#include "sim/sim_verdict.h"

enum { FILE_WIDTH = 160, BEFORE = 15 };

/** One run, while it is being told. Owned by sim_run_report() */
struct report {
	struct sim_run *run;
	struct sim_label *labels;    /**< NULL: nothing has run */
	struct sim_verdict *verdict; /**< NULL: no steps are expected */
	char *bad_steps;             /**< they could not be read: why */
	struct sim_invariants *invariants;
	struct sim_screen screen;
	struct sim_suite *suite; /**< what other programs are told */
	char *unwritten;         /**< a file that could not be written: why */
	int code;
};

/* --- the run's files --- */

static const char *const words[] = { "PASS", "FAIL", "ERROR", "NOT STARTED" };

static int write_jsonl(const struct report *r, FILE *f)
{
	return sim_label_write_jsonl(r->labels, f);
}

static int write_ladder(const struct report *r, FILE *f)
{
	const struct sim_ladder_cfg cfg = {
		.width = FILE_WIDTH,
		.has_all_events = r->run->cfg->has_all_events,
	};

	sim_ladder_print(r->labels, &cfg, f);

	return ferror(f) ? EIO : 0;
}

static int write_pcapng(const struct report *r, FILE *f)
{
	return sim_run_write_capture(r->run, r->labels, f);
}

static int write_page(const struct report *r, FILE *f)
{
	const struct sim_report page = { r->run->name, r->run->file,
					 words[r->code],
					 sim_lua_reason(r->run->lua) };
	json_t *data = sim_report_data(&page, r->labels);
	int err = sim_report_write(data, f);

	json_decref(data);

	return err;
}

static int write_junit(const struct report *r, FILE *f)
{
	return sim_junit_write(r->suite, 1, f);
}

/* What cannot be written is said, and fails the run: it is its result */
static void write_file(struct report *r, const char *name,
		       int (*write)(const struct report *r, FILE *f))
{
	char *path = xasprintf("%s/%s", r->run->folder.path, name);
	FILE *f = fopen(path, "we");
	int err = f ? write(r, f) : errno;

	if (f && fclose(f) && !err)
		err = errno;
	if (err) {
		free(r->unwritten);
		r->unwritten =
			xasprintf("cannot write %s: %s", path, strerror(err));
		(void)fprintf(stderr, "sipshare: %s\n", r->unwritten);
		if (r->code == EXIT_PASS)
			r->code = EXIT_FAIL;
	}
	free(path);
}

/* --- judging --- */

/** Has all that the scenario expects been seen so far? */
bool sim_run_has_steps(const struct sim_run *run)
{
	const char *steps = sim_lua_steps(run->lua);
	struct sim_trace *trace = sim_bed_trace(run->bed);
	struct sim_verdict *verdict = NULL;
	struct sim_label *labels;
	char *reason = NULL;
	bool pass;

	if (!steps)
		return true;

	sim_trace_finish(trace);
	labels = sim_label_new(trace);
	/* an expression that is wrong never gets right: it is told later */
	pass = sim_verdict_new(&verdict, labels, steps, &reason) ||
	       sim_verdict_is_pass(verdict);
	sim_verdict_free(verdict);
	sim_label_free(labels);
	free(reason);

	return pass;
}

static void judge_steps(struct report *r)
{
	const char *steps = sim_lua_steps(r->run->lua);

	if (steps)
		(void)sim_verdict_new(&r->verdict, r->labels, steps,
				      &r->bad_steps);
}

/* Whatever the scenario does, the invariants hold */
static void judge_invariants(struct report *r)
{
	const struct sim_trace *trace = sim_label_trace(r->labels);
	size_t n = sim_trace_count(trace);

	r->invariants = sim_invariants_new(sim_bed_idle_within_ms(r->run->bed));
	for (size_t i = 0; i < n; i++)
		sim_invariants_rx(r->invariants, sim_trace_entry(trace, i));
	if (n)
		sim_invariants_end(r->invariants,
				   sim_trace_entry(trace, n - 1)->t_us);
}

static bool is_good(const struct report *r)
{
	return !r->bad_steps && !r->run->bad_end &&
	       (!r->verdict || sim_verdict_is_pass(r->verdict)) &&
	       !sim_invariants_count(r->invariants);
}

static int exit_code(enum sim_lua_end end)
{
	switch (end) {
	case SIM_LUA_PASS:
		return EXIT_PASS;
	case SIM_LUA_ERROR:
		return EXIT_USAGE;
	case SIM_LUA_NO_START:
		return EXIT_START;
	default:
		return EXIT_FAIL;
	}
}

/* --- printing --- */

/** Print the ladder as it comes, if that is wanted; the bed has just begun */
void sim_run_go_live(struct sim_run *run)
{
	const struct sim_live_cfg cfg = {
		.loop = run->cfg->loop,
		.trace = sim_bed_trace(run->bed),
		.out = stdout,
		.no_colour = run->cfg->no_colour,
		.has_all_events = run->cfg->has_all_events,
	};

	if (run->cfg->is_live)
		run->live = sim_live_new(&cfg);
}

static void print_ladder(const struct report *r)
{
	const struct sim_ladder_cfg cfg = {
		.width = r->screen.width,
		.is_colour = r->screen.is_colour,
		.is_ascii = r->screen.is_ascii,
		.has_all_events = r->run->cfg->has_all_events,
	};

	if (r->run->live)
		sim_live_end(r->run->live, r->labels);
	else if (!r->run->cfg->is_quiet)
		sim_ladder_print(r->labels, &cfg, stdout);
}

static void print_bill(const struct sim_trace *trace)
{
	struct sim_bill *bill = sim_bill_new(trace);

	sim_bill_print(bill, stdout);
	sim_bill_free(bill);
}

/* The part of the ladder where the scenario failed */
static void print_around(const struct report *r)
{
	size_t at = sim_run_failed_at(r->labels);
	char *text;

	if (at == SIZE_MAX)
		return;

	text = sim_ladder_around(r->labels, at, BEFORE, 0);
	printf("The ladder around it:\n%s", text);
	free(text);
}

static void print_judged(const struct report *r)
{
	if (r->bad_steps)
		printf("%s: %s\n", r->run->file, r->bad_steps);
	if (r->verdict)
		sim_verdict_print(r->verdict, stdout, r->screen.is_colour,
				  r->screen.width);
	sim_invariants_print(r->invariants, r->labels, stdout, &r->screen);
}

static void print_summary(const struct sim_run *run, int code)
{
	const char *reason = sim_lua_reason(run->lua);
	char *unread = sim_lua_unread_params(run->lua);

	if (reason)
		printf("%s\n", reason);
	if (run->bad_end && (!reason || !strstr(reason, run->bad_end)))
		printf("%s\n", run->bad_end);
	sim_run_print_capture(run);
	printf("%s %s", words[code], run->file);
	if (run->ready_us >= 0)
		printf(": ready in %.2f s, all in %.2f s",
		       (double)run->ready_us / 1e6,
		       (double)(clock_real_us() - run->started_us) / 1e6);
	if (run->folder.path)
		printf("; %s", run->folder.path);
	putchar('\n');
	(void)fflush(stdout);
	if (unread)
		(void)fprintf(stderr,
			      "sipshare: %s never asks for: %s "
			      "(--set)\n",
			      run->file, unread);
	free(unread);
}

/* --- the whole --- */

static void report_bed(struct report *r)
{
	struct sim_trace *trace = sim_bed_trace(r->run->bed);
	bool has_failed = r->code != EXIT_PASS;

	sim_trace_finish(trace);
	r->labels = sim_label_new(trace);
	judge_steps(r);
	judge_invariants(r);
	if (!has_failed && !is_good(r))
		r->code = EXIT_FAIL;
	write_file(r, "trace.jsonl", write_jsonl);
	write_file(r, "ladder.txt", write_ladder);
	write_file(r, "capture.pcapng", write_pcapng);
	write_file(r, "report.html", write_page);
	print_ladder(r);
	print_bill(trace);
	print_judged(r);
	if (has_failed)
		print_around(r);
}

/* For CI: the command's file gets it later, the run's folder now */
static void report_result(struct report *r)
{
	const struct sim_judged judged = { r->labels,    r->verdict,
					   r->bad_steps, r->invariants,
					   r->unwritten, r->code };

	r->suite = sim_results_add(r->run->cfg->results, r->run->file);
	sim_run_result(r->run, &judged, r->suite);
	if (r->run->folder.path)
		write_file(r, "junit.xml", write_junit);
}

/**
 * Write the run's files, print its ladder and verdict
 *
 * @return The exit code
 */
int sim_run_report(struct sim_run *run)
{
	struct report r = { .run = run,
			    .code = exit_code(sim_lua_result(run->lua)) };

	if (run->verdict)
		return run->code;

	sim_screen_get(&r.screen, stdout, run->cfg->no_colour);
	if (run->bed)
		report_bed(&r);
	report_result(&r);
	print_summary(run, r.code);
	sim_invariants_free(r.invariants);
	sim_verdict_free(r.verdict);
	sim_label_free(r.labels);
	free(r.bad_steps);
	free(r.unwritten);
	run->verdict = words[r.code];
	run->code = r.code;

	return r.code;
}
