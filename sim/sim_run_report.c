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
#include "sim/sim_report.h"
#include "sim/sim_trace.h"
#include "sim/sim_verdict.h"

enum { FILE_WIDTH = 160, BEFORE = 15 };

/** One file that a run leaves */
struct output {
	const char *name;
	int (*write)(const struct sim_run *run, const struct sim_label *labels,
		     FILE *f);
};

static int write_jsonl(const struct sim_run *run,
		       const struct sim_label *labels, FILE *f)
{
	(void)run;

	return sim_label_write_jsonl(labels, f);
}

static int write_ladder(const struct sim_run *run,
			const struct sim_label *labels, FILE *f)
{
	const struct sim_ladder_cfg cfg = { .width = FILE_WIDTH,
					    .has_all_events =
						    run->cfg->has_all_events };

	sim_ladder_print(labels, &cfg, f);

	return ferror(f) ? EIO : 0;
}

static const struct output outputs[] = { { "trace.jsonl", write_jsonl },
					 { "ladder.txt", write_ladder },
					 { "capture.pcapng",
					   sim_run_write_capture } };

/* What cannot be written is said, and fails the run: it is its result */
static bool write_files(const struct sim_run *run,
			const struct sim_label *labels)
{
	bool good = true;

	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		char *path =
			xasprintf("%s/%s", run->folder.path, outputs[i].name);
		FILE *f = fopen(path, "we");
		int err = f ? outputs[i].write(run, labels, f) : errno;

		if (f && fclose(f) && !err)
			err = errno;
		if (err) {
			(void)fprintf(stderr, "sipshare: cannot write %s: %s\n",
				      path, strerror(err));
			good = false;
		}
		free(path);
	}

	return good;
}

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

static bool print_verdict(const struct sim_run *run,
			  const struct sim_label *labels,
			  const struct sim_screen *screen)
{
	const char *steps = sim_lua_steps(run->lua);
	struct sim_verdict *verdict;
	char *reason = NULL;
	bool pass;

	if (!steps)
		return true;

	if (sim_verdict_new(&verdict, labels, steps, &reason)) {
		printf("%s: %s\n", run->file, reason);
		free(reason);
		return false;
	}
	pass = sim_verdict_is_pass(verdict);
	sim_verdict_print(verdict, stdout, screen->is_colour, screen->width);
	sim_verdict_free(verdict);

	return pass;
}

/* Whatever the scenario does, the invariants hold */
static bool print_invariants(const struct sim_run *run,
			     const struct sim_label *labels,
			     const struct sim_screen *screen)
{
	const struct sim_trace *trace = sim_label_trace(labels);
	struct sim_invariants *inv =
		sim_invariants_new(sim_bed_idle_within_ms(run->bed));
	size_t n = sim_trace_count(trace);
	bool good;

	for (size_t i = 0; i < n; i++)
		sim_invariants_rx(inv, sim_trace_entry(trace, i));
	if (n)
		sim_invariants_end(inv, sim_trace_entry(trace, n - 1)->t_us);
	sim_invariants_print(inv, labels, stdout, screen);
	good = !sim_invariants_count(inv);
	sim_invariants_free(inv);

	return good;
}

static void print_bill(const struct sim_trace *trace)
{
	struct sim_bill *bill = sim_bill_new(trace);

	sim_bill_print(bill, stdout);
	sim_bill_free(bill);
}

/* The part of the ladder where the scenario failed */
static void print_around(const struct sim_label *labels, int width)
{
	const struct sim_ladder_cfg cfg = { .width = width };
	char *text = NULL, *line, *save = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int at = -1, n = 0;

	if (!f)
		return;
	sim_ladder_print(labels, &cfg, f);
	(void)fclose(f);
	for (const char *p = text; p && *p && at < 0; n++) {
		const char *end = strchrnul(p, '\n');

		if (memmem(p, (size_t)(end - p), "scenario.failed", 15))
			at = n;
		p = *end ? end + 1 : end;
	}
	if (at >= 0)
		puts("The ladder around it:");
	n = 0;
	for (line = strtok_r(text, "\n", &save); line && at >= 0;
	     line = strtok_r(NULL, "\n", &save), n++)
		if (n >= at - BEFORE && n <= at)
			puts(line);
	free(text);
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

static const char *const words[] = { "PASS", "FAIL", "ERROR", "NOT STARTED" };

/* report.html: the one file that tells also how it ended */
static bool write_page(const struct sim_run *run,
		       const struct sim_label *labels, int code)
{
	const struct sim_report report = { run->name, run->file, words[code],
					   sim_lua_reason(run->lua) };
	char *path = xasprintf("%s/report.html", run->folder.path);
	json_t *data = sim_report_data(&report, labels);
	FILE *f = fopen(path, "we");
	int err = f ? sim_report_write(data, f) : errno;

	if (f && fclose(f) && !err)
		err = errno;
	if (err)
		(void)fprintf(stderr, "sipshare: cannot write %s: %s\n", path,
			      strerror(err));
	json_decref(data);
	free(path);

	return !err;
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

/**
 * Write the run's files, print its ladder and verdict
 *
 * @return The exit code
 */
int sim_run_report(struct sim_run *run)
{
	int code = exit_code(sim_lua_result(run->lua));
	struct sim_label *labels;
	struct sim_screen screen;

	sim_screen_get(&screen, stdout, run->cfg->no_colour);
	if (run->bed) {
		struct sim_trace *trace = sim_bed_trace(run->bed);
		const struct sim_ladder_cfg cfg = {
			.width = screen.width,
			.is_colour = screen.is_colour,
			.is_ascii = screen.is_ascii,
			.has_all_events = run->cfg->has_all_events,
		};
		bool good;

		sim_trace_finish(trace);
		labels = sim_label_new(trace);
		good = write_files(run, labels);
		if (!run->cfg->is_quiet)
			sim_ladder_print(labels, &cfg, stdout);
		print_bill(trace);
		good = print_verdict(run, labels, &screen) && good;
		good = print_invariants(run, labels, &screen) && good;
		if (code)
			print_around(labels, screen.width);
		if (code == EXIT_PASS && (!good || run->bad_end))
			code = EXIT_FAIL;
		if (!write_page(run, labels, code) && code == EXIT_PASS)
			code = EXIT_FAIL;
		sim_label_free(labels);
	}
	print_summary(run, code);

	return code;
}
