/* report.html in a real browser, opened from disk with the network off. What
 * each test does stands in tests/web/page.mjs; the screenshots are left in
 * the build's tests/web/. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "common/mem.h"
#include "sim/sim_report.h"
#include "tests/fake/browser.h"
#include "tests/fake/fake_trace.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

#define FOLDER BUILD_DIR "/tests/web"

enum { MANY = 5000, HUGE_HEADER = 65536 };

static const char *const names[] = {
	"nothing_is_asked_of_the_network",
	"steps_s401_to_s414_by_clicks",
	"steps_and_goes_back_by_keys",
	"a_click_opens_the_message",
	"the_nonce_of_the_401_is_marked_in_the_second_register",
	"diameter_is_shown_by_names",
	"the_state_is_that_of_the_step",
	"a_fragment_names_the_step",
	"english_and_chinese",
	"steps_of_figures_1_to_3_are_found",
	"filters_by_actor_protocol_and_lease",
	"the_cscfs_become_one_column",
	"exports_svg_png_and_text",
	"play_goes_on_and_stops",
	"axe_finds_nothing_serious_light",
	"axe_finds_nothing_serious_dark",
	"axe_finds_nothing_serious_phone",
	"hostile_text_is_text",
	"5000_messages_scroll_smoothly",
};
enum { NAMES_N = sizeof(names) / sizeof(*names) };

static const char runs[] = FOLDER "/runs";
static struct proc browser;

static void write_page(const char *name, json_t *lines)
{
	const struct sim_report report = { name, name, "PASS", NULL };
	struct sim_trace *tr = fake_trace_load(lines);
	struct sim_label *lb = sim_label_new(tr);
	json_t *data = sim_report_data(&report, lb);
	char *path = xasprintf(FOLDER "/%s.html", name);
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(sim_report_write(data, f), 0);
	fclose(f);
	free(path);
	json_decref(data);
	sim_label_free(lb);
	sim_trace_free(tr);
}

static void add_register(json_t *lines, int i, const char *header, size_t len)
{
	char *text = xasprintf("REGISTER sip:ims.test SIP/2.0\r\nCSeq: %d "
			       "REGISTER\r\nCall-ID: %d\r\nX: %.*s\r\n\r\n",
			       i, i, (int)len, header);
	const struct fake_msg msg = { .t_us = 1000 * (int64_t)(i + 1),
				      .proto = TRACE_SIP,
				      .from = i % 2 ? "pcscf" : "terminal",
				      .to = i % 2 ? "icscf" : "pcscf",
				      .data = text,
				      .len = strlen(text),
				      .ends = FAKE_BOTH };

	fake_trace_msg(lines, &msg);
	free(text);
}

static json_t *hostile(void)
{
	static const char bad[] =
		"</script><script>broken=1</script><img src=x onerror=broken=1>"
		"<!--\x1b[2J \x01 \xff\xfe \xe2\x80\xae";
	char *huge = xcalloc(1, HUGE_HEADER);
	json_t *lines = json_array();

	memset(huge, '<', HUGE_HEADER);
	add_register(lines, 0, bad, sizeof(bad) - 1);
	add_register(lines, 1, huge, HUGE_HEADER);
	fake_trace_event(lines, 5000, "hss", "<img src=x onerror=broken=1>",
			 json_pack("{s:s}", "</script>", "\x1b<b>"));
	fake_trace_event(lines, 6000, "<b>boss", "constructor",
			 json_pack("{s:s}", "uri", "__proto__"));
	free(huge);

	return lines;
}

static json_t *many(void)
{
	json_t *lines = json_array();

	for (int i = 0; i < MANY; i++)
		add_register(lines, i, "1", 1);

	return lines;
}

/* A run, and one browser for all the tests: it takes its time to start */
static void browse(void)
{
	const char *run[] = { PROC_SIPSHARE, "run", "--quiet",
			      "--runs",      runs,  "scenarios/patent.lua",
			      NULL };
	const char *node[] = { "node", "tests/web/page.mjs", FOLDER, NULL };
	struct proc p;

	ck_assert(mkdir(FOLDER, 0755) == 0 || errno == EEXIST);
	proc_start(&p, run);
	ck_assert_msg(proc_wait_end(&p, PATIENCE_MS) == 0, "%s", p.text);
	free(p.text);
	ck_assert_int_eq(rename(FOLDER "/runs/patent/report.html",
				FOLDER "/report.html"),
			 0);
	write_page("hostile", hostile());
	write_page("big", many());
	proc_start(&browser, node);
	(void)proc_wait_end(&browser, BROWSER_PATIENCE_MS);
}

static void forget(void)
{
	free(browser.text);
}

/* _i: which of the names */
START_TEST(the_page_in_a_browser)
{
	browser_expect_ok(browser.text, names[_i]);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("page");
	TCase *tc = tcase_create("browser");

	tcase_add_unchecked_fixture(tc, browse, forget);
	tcase_add_loop_test(tc, the_page_in_a_browser, 0, NAMES_N);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
