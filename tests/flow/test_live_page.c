/* The live page in a real browser. A run that was recorded is told again,
 * message by message, as the browser asks for it: each test of
 * tests/web/live.mjs has an engine and a server of its own. The screenshots
 * are left in the build's tests/web/live/. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "common/loop.h"
#include "common/mem.h"
#include "sim/sim_web.h"
#include "tests/fake/browser.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

#define FOLDER BUILD_DIR "/tests/web/live"

static const char *const names[] = {
	"the_run_is_stepped_from_s401_to_s414_by_clicks",
	"the_run_is_stepped_by_keys",
	"what_is_to_come_is_grey_below",
	"a_held_message_is_marked",
	"the_student_goes_back_and_the_page_stays_there",
	"a_message_is_opened_while_live",
	"the_state_grows_with_the_run",
	"run_to_a_step",
	"run_to_a_click_on_what_is_to_come",
	"an_unknown_step_is_told",
	"a_refusal_of_the_runner_is_told",
	"run_to_the_end_shows_verdict_and_capture",
	"quit_ends_the_run_and_the_page_stays",
	"a_lost_connection_is_told",
	"a_lost_connection_is_taken_up_again",
	"filters_while_live",
	"the_language_is_switched_while_live",
	"the_ladder_is_exported_while_live",
	"an_unknown_actor_gets_a_column",
	"two_pages_see_the_same",
	"the_focus_is_kept",
	"hostile_text_is_text_while_live",
	"axe_finds_nothing_serious_live_light",
	"axe_finds_nothing_serious_live_dark",
	"axe_finds_nothing_serious_live_phone",
	"axe_finds_nothing_serious_live_chinese",
};
enum { NAMES_N = sizeof(names) / sizeof(*names) };

/** Tells the recorded run again, to one server's pages */
struct engine {
	const char *name;
	struct sim_web *web;
	json_t *data;   /* the run as it was recorded */
	size_t shown;   /* entries told */
	size_t held[2]; /* entries that wait, the next one first */
	size_t held_n, nexts;
	bool is_over, has_quit;
};

static const char runs[] = FOLDER "/runs";
static struct proc browser;
static bool has_ended;
static struct loop *loop;
static struct engine engines[NAMES_N];

static json_t *entry_at(const struct engine *e, size_t i)
{
	json_t *all = json_object_get(e->data, "entries");

	return json_object_get(json_array_get(all, i), "entry");
}

static const char *field(const struct engine *e, size_t i, const char *name)
{
	const char *value =
		json_string_value(json_object_get(entry_at(e, i), name));

	return value ? value : "";
}

/* Diameter's own exchanges are not held */
static bool is_message(const struct engine *e, size_t i)
{
	const char *summary = field(e, i, "summary");

	return !strcmp(field(e, i, "kind"), "msg") &&
	       strncmp(summary, "CE", 2) != 0 &&
	       strncmp(summary, "DW", 2) != 0 && strncmp(summary, "DP", 2) != 0;
}

static bool is_step(const struct engine *e, size_t i, const char *ref)
{
	return strstr(field(e, i, "steps"), ref) != NULL;
}

static bool is_engine(const struct engine *e, const char *word)
{
	return strstr(e->name, word) != NULL;
}

/* --- what the page is told --- */

static json_t *held_data(const struct engine *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->held_n; i++) {
		char *what = xasprintf("%s %s", field(e, e->held[i], "proto"),
				       field(e, e->held[i], "summary"));

		json_array_append_new(
			list,
			json_pack("{s:I, s:s, s:s, s:i, s:b}", "entry",
				  (json_int_t)e->held[i], "actor",
				  field(e, e->held[i], "to"), "what", what,
				  "number", (int)i + 1, "next", i == 0));
		free(what);
	}

	return list;
}

static const char *sentence(const struct engine *e)
{
	if (is_engine(e, "hostile"))
		return "<img src=x onerror=broken=1>\x1b[2J";

	return e->is_over ? "The scenario has ended."
			  : "One message has arrived.";
}

static void show(struct engine *e)
{
	const json_t *all = json_object_get(e->data, "entries");
	json_t *now = json_copy(e->data);
	json_t *entries = json_array();

	for (size_t i = 0; i < e->shown; i++)
		json_array_append(entries, json_array_get(all, i));
	json_object_set_new(now, "entries", entries);
	if (!e->is_over)
		json_object_set_new(now, "result", json_string(""));
	if (e->has_quit) {
		json_object_set_new(now, "result", json_string("FAIL"));
		json_object_set_new(now, "reason", json_string("it was quit"));
	}
	json_object_set_new(now, "live",
			    json_pack("{s:s, s:o, s:s, s:i, s:s}", "state",
				      e->is_over ? "over" : "held", "held",
				      held_data(e), "expect",
				      "S401..S414, S501..S521", "clock_us", 0,
				      "message", sentence(e)));
	sim_web_show(e->web, now);
}

/* --- the run --- */

/* The first that waits is acted on: what comes of it, up to the next messages
 * that wait */
static void go_on(struct engine *e, size_t wanted)
{
	size_t all = json_array_size(json_object_get(e->data, "entries"));

	if (e->held_n)
		e->held[0] = e->held[1];
	if (e->held_n && --e->held_n)
		return;
	while (e->held_n < wanted && e->shown < all) {
		if (is_message(e, e->shown))
			e->held[e->held_n++] = e->shown;
		e->shown++;
	}
	e->is_over = !e->held_n;
}

static int run_until(struct engine *e, const char *ref, char **reasonp)
{
	for (size_t i = 0; i < e->shown && ref; i++) {
		if (is_step(e, i, ref)) {
			*reasonp = xasprintf("%s has happened already", ref);
			return ENOENT;
		}
	}
	do
		go_on(e, 1);
	while (!e->is_over && !(ref && is_step(e, e->held[0], ref)));

	return 0;
}

static void free_web(void *arg)
{
	struct engine *e = arg;

	e->web = sim_web_free(e->web);
}

static void serve(struct engine *e, const char *listen);

static void serve_again(void *arg)
{
	struct engine *e = arg;
	char *at = xstrdup(sim_web_url(e->web) + strlen("http://"));

	e->web = sim_web_free(e->web);
	*strchr(at, '/') = '\0';
	serve(e, at);
	free(at);
}

static int on_command(const char *command, const char *ref, void *arg,
		      char **reasonp)
{
	struct engine *e = arg;
	int err = 0;

	if (is_engine(e, "refusal")) {
		*reasonp = xstrdup("the run is busy: <b>wait</b>");
		return EBUSY;
	}
	if (is_engine(e, "a_lost_connection_is_told") ||
	    !strcmp(command, "quit"))
		loop_defer(loop, free_web, e);
	if (is_engine(e, "taken_up_again"))
		loop_defer(loop, serve_again, e);
	/* every third comes with another one behind it */
	if (!strcmp(command, "next"))
		go_on(e, ++e->nexts % 3 ? 1 : 2);
	else if (strcmp(command, "quit") != 0)
		err = run_until(e, ref, reasonp);
	else
		e->is_over = e->has_quit = true;
	if (!err)
		show(e);

	return err;
}

static const char *capture(void *arg)
{
	const struct engine *e = arg;

	return e->is_over ? FOLDER "/runs/patent/capture.pcapng" : NULL;
}

static const struct sim_web_ops ops = { on_command, capture };

/* --- the recording --- */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	char *text;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fstat(fileno(f), &st), 0);
	text = xcalloc(1, (size_t)st.st_size + 1);
	ck_assert_uint_eq(fread(text, 1, (size_t)st.st_size, f),
			  (size_t)st.st_size);
	fclose(f);

	return text;
}

static size_t find(const struct engine *e, const char *ref)
{
	size_t i = 0;

	while (!is_step(e, i, ref))
		i++;

	return i;
}

static void set(const struct engine *e, size_t i, const char *name,
		const char *value)
{
	json_object_set_new(entry_at(e, i), name, json_string(value));
}

/* What could come from a foreign box */
static void make_hostile(const struct engine *e)
{
	static const char bad[] = "</script><script>broken=1</script>"
				  "<img src=x onerror=broken=1>";

	set(e, find(e, "S402"), "text", bad);
	set(e, find(e, "S402"), "summary", bad);
	set(e, find(e, "S403"), "to", bad);
}

static json_t *record(void)
{
	static const char mark[] = "id=\"data\">";
	const char *run[] = { PROC_SIPSHARE, "run", "--quiet",
			      "--runs",      runs,  "scenarios/patent.lua",
			      NULL };
	struct proc p;
	char *html, *start;
	json_t *data;

	proc_start(&p, run);
	ck_assert_msg(proc_wait_end(&p, PATIENCE_MS) == 0, "%s", p.text);
	free(p.text);
	html = read_file(FOLDER "/runs/patent/report.html");
	start = strstr(html, mark);
	ck_assert_ptr_nonnull(start);
	data = json_loads(start + sizeof(mark) - 1,
			  JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
	ck_assert_ptr_nonnull(data);
	free(html);

	return data;
}

/* --- the browser --- */

static void on_output(void *arg)
{
	struct proc *p = arg;
	char buf[4096];
	ssize_t n = read(p->out, buf, sizeof(buf));

	has_ended = n <= 0;
	if (has_ended) {
		loop_stop(loop);
		return;
	}
	p->text = xrealloc(p->text, p->len + (size_t)n + 1);
	memcpy(p->text + p->len, buf, (size_t)n);
	p->len += (size_t)n;
	p->text[p->len] = '\0';
}

static bool is_done(const void *arg)
{
	(void)arg;

	return has_ended;
}

static void serve(struct engine *e, const char *listen)
{
	char *reason = NULL;

	ck_assert_msg(!sim_web_new(&e->web, loop, listen, &ops, e, &reason),
		      "%s", reason);
	show(e);
}

static void new_engine(struct engine *e, const char *name, json_t *data)
{
	e->name = name;
	e->data = json_deep_copy(data);
	if (is_engine(e, "hostile"))
		make_hostile(e);
	if (is_engine(e, "unknown_actor"))
		set(e, find(e, "S402"), "to", "appserver9");
	serve(e, "127.0.0.1:0");
}

static void free_engine(struct engine *e)
{
	sim_web_free(e->web);
	json_decref(e->data);
}

static void run_browser(const char *const *argv)
{
	struct loop_watch *watch;

	proc_start(&browser, argv);
	watch = loop_watch_fd(loop, browser.out, LOOP_READ, on_output,
			      &browser);
	(void)loop_run_until(loop, is_done, NULL, BROWSER_PATIENCE_MS);
	loop_unwatch(watch);
	(void)proc_wait_end(&browser, BROWSER_PATIENCE_MS);
}

static void browse(void)
{
	const char *node[NAMES_N + 4] = { "node", "tests/web/live.mjs",
					  FOLDER };
	json_t *data;

	ck_assert(mkdir(BUILD_DIR "/tests/web", 0755) == 0 || errno == EEXIST);
	ck_assert(mkdir(FOLDER, 0755) == 0 || errno == EEXIST);
	data = record();
	loop = loop_new();
	for (size_t i = 0; i < NAMES_N; i++) {
		new_engine(&engines[i], names[i], data);
		node[i + 3] = xasprintf("%s=%s", names[i],
					sim_web_url(engines[i].web));
	}
	run_browser(node);
	for (size_t i = 0; i < NAMES_N; i++) {
		free_engine(&engines[i]);
		free((void *)node[i + 3]);
	}
	json_decref(data);
	loop_free(loop);
}

static void forget(void)
{
	free(browser.text);
}

/* _i: which of the names */
START_TEST(the_live_page_in_a_browser)
{
	browser_expect_ok(browser.text, names[_i]);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("live page");
	TCase *tc = tcase_create("browser");

	tcase_add_unchecked_fixture(tc, browse, forget);
	tcase_add_loop_test(tc, the_live_page_in_a_browser, 0, NAMES_N);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
