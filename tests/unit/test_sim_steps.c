#include "sim/sim_steps.h"

#include <stdlib.h>
#include <string.h>

#include "tests/suite.h"

static void check_refs(const struct sim_step *step, const char *list)
{
	const char *ref;
	size_t len;
	bool is_or;

	while ((ref = sim_steps_next_ref(&list, &len, &is_or)))
		ck_assert_msg(sim_steps_find(ref, len) != NULL,
			      "%s names %.*s, which is no row", step->id,
			      (int)len, ref);
}

START_TEST(every_step_of_the_patent_has_a_row)
{
	static const struct {
		int first, last;
	} ranges[] = { { 401, 414 },
		       { 501, 521 },
		       { 101, 103 },
		       { 201, 203 },
		       { 301, 304 } };

	for (size_t r = 0; r < sizeof(ranges) / sizeof(*ranges); r++) {
		for (int i = ranges[r].first; i <= ranges[r].last; i++) {
			char id[16];

			(void)snprintf(id, sizeof(id), "S%d", i);
			ck_assert_msg(sim_steps_find(id, 4) != NULL, "%s", id);
		}
	}
}
END_TEST

START_TEST(every_reference_in_the_table_names_a_row)
{
	for (size_t i = 0; i < sim_steps_count(); i++) {
		const struct sim_step *step = sim_steps_at(i);

		check_refs(step, step->is);
		check_refs(step, step->after);
		check_refs(step, step->answers);
		check_refs(step, step->follows);
	}
}
END_TEST

START_TEST(every_row_is_explained_and_cited)
{
	for (size_t i = 0; i < sim_steps_count(); i++) {
		const struct sim_step *step = sim_steps_at(i);

		ck_assert(step->en && step->zh && step->from);
		/* either what it looks like, or of which rows it is made */
		ck_assert(!step->what != !step->is);
		ck_assert(step->wire == SIM_EVENT ? !step->to : true);
		if (step->wire != SIM_FIGURE)
			ck_assert_int_eq(step->paragraph[0], '[');
		if (step->id[1] == '5')
			ck_assert_ptr_nonnull(step->clause);
	}
}
END_TEST

START_TEST(a_reference_names_one_row_only)
{
	const struct sim_step *whole = sim_steps_find("S401", 4);
	const struct sim_step *part = sim_steps_find("S401/list", 9);

	ck_assert_ptr_null(whole->part);
	ck_assert_str_eq(part->part, "list");
	ck_assert_ptr_null(sim_steps_find("S401/", 5));
	ck_assert_ptr_null(sim_steps_find("S401/lis", 8));
	ck_assert_ptr_null(sim_steps_find("S40", 3));
	ck_assert_ptr_null(sim_steps_find("S499", 4));
	ck_assert_ptr_null(sim_steps_find("", 0));
}
END_TEST

START_TEST(third_party_register_may_fall_anywhere_after_the_profile)
{
	ck_assert_str_eq(sim_steps_find("S520", 4)->after, "S516/answer");
	ck_assert_str_eq(sim_steps_find("S517", 4)->after, "S516/answer");
	ck_assert_str_eq(sim_steps_find("S518", 4)->after, "S517");
}
END_TEST

START_TEST(the_markdown_has_a_line_for_each_row)
{
	char *text = NULL;
	size_t len, lines = 0;
	FILE *f = open_memstream(&text, &len);

	sim_steps_print_markdown(f);
	fclose(f);
	for (const char *p = text; (p = strstr(p, "\n| S")); p++)
		lines++;
	ck_assert_uint_eq(lines, sim_steps_count());
	ck_assert_ptr_nonnull(strstr(text, "| S405 | platform → – | event |"));
	free(text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_steps");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, every_step_of_the_patent_has_a_row);
	tcase_add_test(tc, every_reference_in_the_table_names_a_row);
	tcase_add_test(tc, every_row_is_explained_and_cited);
	tcase_add_test(tc, a_reference_names_one_row_only);
	tcase_add_test(
		tc, third_party_register_may_fall_anywhere_after_the_profile);
	tcase_add_test(tc, the_markdown_has_a_line_for_each_row);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
