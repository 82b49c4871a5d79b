#include "sim/sim_label.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/fake/fake_trace.h"
#include "tests/suite.h"

static struct sim_trace *tr;
static struct sim_label *lb;

static void load(json_t *lines)
{
	tr = fake_trace_load(lines);
	lb = sim_label_new(tr);
}

static void clear(void)
{
	lb = sim_label_free(lb);
	tr = sim_trace_free(tr);
}

/* The ids of the entry that began when the script's row did */
static const char *ids_at(const char *row)
{
	for (size_t i = 0; i < sim_trace_count(tr); i++) {
		if (sim_trace_entry(tr, i)->t_us == fake_trace_time(row))
			return sim_label_ids(lb, i);
	}

	return "not there";
}

static void put_sip(json_t *lines, const char *from, const char *to,
		    const char *text)
{
	const struct fake_msg msg = { .t_us = 9000000,
				      .proto = TRACE_SIP,
				      .from = from,
				      .to = to,
				      .data = text,
				      .len = strlen(text),
				      .ends = FAKE_BOTH };

	fake_trace_msg(lines, &msg);
}

START_TEST(the_whole_sequence_is_labelled_by_the_wire)
{
	static const char *const rows[] = {
		"S402", "S403", "S404", "S405", "S406", "S410", "S411",
		"S413", "S414", "S502", "S503", "S504", "S505", "S506",
		"S507", "S508", "S509", "S510", "S511", "S512", "S513",
		"S514", "S515", "S517", "S518", "S519", "S520", "S521"
	};

	load(fake_trace_patent(NULL, NULL));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ck_assert_str_eq(ids_at(rows[i]), rows[i]);
	ck_assert_str_eq(ids_at("S401/range"), "S401");
	ck_assert_str_eq(ids_at("S401/import"), "S401");
	ck_assert_str_eq(ids_at("S407/binding"), "S407");
	ck_assert_str_eq(ids_at("S409/release"), "S409");
	ck_assert_str_eq(ids_at("S412/release"), "S412");
	ck_assert_str_eq(ids_at("S516/query"), "S516");
	ck_assert_str_eq(ids_at("S516/answer"), "S516");
}
END_TEST

START_TEST(the_first_register_is_a_step_of_both_figures)
{
	load(fake_trace_patent(NULL, NULL));
	ck_assert_str_eq(ids_at("S501"), "S408 S501");
}
END_TEST

START_TEST(what_is_no_step_has_no_label_but_a_summary)
{
	size_t i;

	load(fake_trace_patent(NULL, NULL));
	ck_assert_str_eq(ids_at("off-uar"), "");
	ck_assert_str_eq(ids_at("off-401"), "");
	ck_assert_str_eq(ids_at("off-2"), "");
	ck_assert_str_eq(ids_at("login-answer"), "");
	i = fake_trace_find(lb, "S504");
	ck_assert_str_eq(sim_label_summary(lb, i), "UAA 2001 SUCCESS");
	i = fake_trace_find(lb, "S413");
	ck_assert_str_eq(sim_label_summary(lb, i), "REGISTER (Expires 0)");
	i = fake_trace_find(lb, "S508");
	ck_assert_str_eq(sim_label_summary(lb, i), "401 Unauthorized");
	i = fake_trace_find(lb, "S401");
	ck_assert_str_eq(sim_label_summary(lb, i), "OpenAccountsByRange");
	ck_assert_int_eq(sim_label_wire(lb, i), SIM_SOAP);
}
END_TEST

START_TEST(entries_know_their_public_identity)
{
	load(fake_trace_patent(NULL, NULL));
	ck_assert_str_eq(sim_label_impu(lb, fake_trace_find(lb, "S502")),
			 FAKE_IMPU);
	/* an answer without one has its request's */
	ck_assert_str_eq(sim_label_impu(lb, fake_trace_find(lb, "S504")),
			 FAKE_IMPU);
	ck_assert_str_eq(sim_label_impu(lb, fake_trace_find(lb, "S405")),
			 FAKE_IMPU);
	ck_assert_ptr_null(sim_label_impu(lb, fake_trace_find(lb, "S402")));
}
END_TEST

START_TEST(a_foreign_hss_is_labelled_from_one_end)
{
	/* only the CSCFs trace: the answers' one record is the receiver's */
	json_t *lines = fake_trace_patent(NULL, NULL), *ours = json_array();
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		const json_t *actor = json_object_get(line, "actor");

		if (strcmp(json_string_value(actor), "hss") != 0)
			json_array_append(ours, line);
	}
	json_decref(lines);
	tr = sim_trace_new();
	sim_trace_actor(tr, "hss", "127.1.1.4");
	json_array_foreach(ours, i, line)
	{
		ck_assert_int_eq(sim_trace_add(tr, line), 0);
	}
	json_decref(ours);
	sim_trace_finish(tr);
	lb = sim_label_new(tr);
	ck_assert_str_eq(ids_at("S503"), "S503");
	ck_assert_str_eq(ids_at("S513"), "S513");
	ck_assert_uint_lt(fake_trace_find(lb, "S504"), sim_trace_count(tr));
	ck_assert_uint_lt(fake_trace_find(lb, "S514"), sim_trace_count(tr));
	ck_assert_uint_lt(fake_trace_find(lb, "S516"), sim_trace_count(tr));
	ck_assert(!sim_trace_entry(tr, fake_trace_find(lb, "S503"))->is_lost);
}
END_TEST

START_TEST(a_retransmission_has_the_label_of_the_first)
{
	json_t *lines = fake_trace_patent(NULL, NULL);
	json_t *again = json_array(), *line;
	size_t i, n = 0;

	json_array_foreach(lines, i, line)
	{
		if (json_integer_value(json_object_get(line, "t")) / 1000 !=
		    fake_trace_time("S502") / 1000)
			continue;
		line = json_copy(line);
		json_object_set_new(line, "t", json_integer(1500000));
		json_array_append_new(again, line);
	}
	json_array_extend(lines, again);
	json_decref(again);
	load(lines);
	for (i = 0; i < sim_trace_count(tr); i++)
		n += !strcmp(sim_label_ids(lb, i), "S502");
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(ids_at("S503"), "S503");
}
END_TEST

/** What comes after the sequence, and which steps it is: a SIP message between
 * two, or a Cx request */
struct later {
	const char *from, *to;
	const char *start; /**< NULL: Cx */
	const char *headers;
	uint32_t code;
	int cseq;
	const char *ids;
};

#define REGISTER "REGISTER sip:ims.test SIP/2.0"
#define NO "SIP/2.0 401 Unauthorized"
#define OK "SIP/2.0 200 OK"
#define ON "Contact: <sip:u@127.1.3.1:5060>;expires=600\r\n"
#define ANSWERS "Authorization: Digest username=\"u\", response=\"01\"\r\n"

static void put_later(json_t *lines, const struct later *row, int64_t t_us)
{
	struct fake_msg msg = { .t_us = t_us,
				.proto = TRACE_SIP,
				.from = row->from,
				.to = row->to,
				.ends = FAKE_BOTH };
	const char *client = *row->start == 'R' ? row->from : row->to;
	char *text;

	/* of one Call-ID with the first registration, as a refresh is (RFC 3261
	 * 10.2.4) */
	text = xasprintf("%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%s%d\r\n"
			 "To: <" FAKE_IMPU ">\r\nCall-ID: call-0\r\n"
			 "CSeq: %d REGISTER\r\n%s\r\n",
			 row->start, client, row->cseq, row->cseq,
			 row->headers);
	msg.data = text;
	msg.len = strlen(text);
	fake_trace_msg(lines, &msg);
	free(text);
}

static void expect_later(const struct later *rows, size_t n)
{
	json_t *lines = fake_trace_patent(NULL, NULL);
	size_t first;

	for (size_t i = 0; i < n; i++) {
		int64_t t_us = 2000000 + 1000 * (int64_t)i;
		const struct fake_msg cx = { .t_us = t_us,
					     .from = rows[i].from,
					     .to = rows[i].to,
					     .ends = FAKE_BOTH };

		if (rows[i].start)
			put_later(lines, &rows[i], t_us);
		else
			fake_trace_cx(lines, &cx, rows[i].code);
	}
	load(lines);
	first = sim_trace_count(tr) - n;
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(
			!strcmp(sim_label_ids(lb, first + i), rows[i].ids),
			"row %zu, %s to %s: %s instead of \"%s\"", i,
			rows[i].from, rows[i].to, sim_label_ids(lb, first + i),
			rows[i].ids);
}

START_TEST(a_query_is_about_the_last_register_and_no_earlier_one)
{
	/* S502 that was answered without a query: the next REGISTER is no
	 * step, and the query is about that one */
	static const struct later rows[] = {
		{ "pcscf", "icscf", REGISTER, ON, 0, 90, "S502" },
		{ "icscf", "pcscf", NO, "", 0, 90, "S509" },
		{ "pcscf", "icscf", REGISTER, "Expires: 0\r\n", 0, 91, "" },
		{ "icscf", "hss", NULL, NULL, 300, 0, "" },
		{ "hss", "icscf", NULL, NULL, 300, 0, "" },
		{ "icscf", "scscf", REGISTER, "Expires: 0\r\n", 0, 91, "" },
		{ "scscf", "hss", NULL, NULL, 303, 0, "" },
	};

	expect_later(rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

START_TEST(a_refresh_with_credentials_answers_no_challenge)
{
	static const struct later rows[] = {
		{ "terminal", "pcscf", REGISTER, ON ANSWERS, 0, 90, "" },
		{ "pcscf", "icscf", REGISTER, ON ANSWERS, 0, 90, "" },
		{ "icscf", "hss", NULL, NULL, 300, 0, "" },
		{ "icscf", "scscf", REGISTER, ON ANSWERS, 0, 90, "" },
		{ "scscf", "hss", NULL, NULL, 301, 0, "" },
		{ "scscf", "icscf", OK, ON, 0, 90, "" },
		{ "scscf", "appserver", REGISTER, ON, 0, 90, "" },
		{ "appserver", "scscf", OK, ON, 0, 90, "" },
		{ "icscf", "pcscf", OK, ON, 0, 90, "" },
		{ "pcscf", "terminal", OK, ON, 0, 90, "" },
	};

	expect_later(rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

/* The third-party REGISTER goes to each of them; a repeated one is none */
START_TEST(a_second_appserver_has_steps_of_its_own)
{
	static const struct later rows[] = {
		{ "scscf", "appserver2", REGISTER, ON, 0, 90, "S520" },
		{ "appserver2", "scscf", OK, ON, 0, 90, "S521" },
		{ "scscf", "appserver2", REGISTER, ON, 0, 91, "" },
		{ "scscf", "appserver", REGISTER, ON, 0, 92, "" },
		{ "scscf", "appserver2b", REGISTER, ON, 0, 93, "" },
	};

	expect_later(rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

START_TEST(who_is_challenged_again_may_answer_again)
{
	static const struct later rows[] = {
		{ "terminal", "pcscf", REGISTER, ON, 0, 90, "S408 S501" },
		{ "pcscf", "terminal", NO, "", 0, 90, "S510" },
		{ "terminal", "pcscf", REGISTER, ON ANSWERS, 0, 91, "S511" },
		{ "pcscf", "terminal", NO, "", 0, 91, "S510" },
		{ "terminal", "pcscf", REGISTER, ON ANSWERS, 0, 92, "S511" },
		{ "pcscf", "terminal", OK, ON, 0, 92, "S519" },
		{ "terminal", "pcscf", REGISTER, ON ANSWERS, 0, 93, "" },
		{ "pcscf", "terminal", OK, ON, 0, 93, "" },
	};

	expect_later(rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

START_TEST(an_empty_response_is_no_credentials)
{
	json_t *lines = json_array();

	put_sip(lines, "terminal", "pcscf",
		"REGISTER sip:a SIP/2.0\r\nauthorization : Digest "
		"cresponse=\"1\","
		" response=\"\"\r\nt: sip:a@b;x\r\ni: 1\r\nCSeq: 1 REGISTER\r\n"
		"\r\n");
	load(lines);
	ck_assert_str_eq(sim_label_ids(lb, 0), "S408 S501");
	ck_assert_str_eq(sim_label_impu(lb, 0), "sip:a@b");
}
END_TEST

START_TEST(a_contacts_own_expires_goes_before_the_header)
{
	json_t *lines = json_array();

	put_sip(lines, "platform", "pcscf",
		"REGISTER sip:a SIP/2.0\r\nTo: <sip:A@B>\r\nCall-ID: 2\r\n"
		"m: <sip:x>;expires=0\r\nExpires: 600\r\n\r\n");
	load(lines);
	ck_assert_str_eq(sim_label_ids(lb, 0), "S413");
	ck_assert_str_eq(sim_label_impu(lb, 0), "sip:A@b");
}
END_TEST

START_TEST(a_lease_request_with_a_body_is_not_the_patents)
{
	static const char text[] = "POST /v1/leases HTTP/1.1\r\n"
				   "Content-Length: 2\r\n\r\n{}";
	const struct fake_msg msg = { .proto = TRACE_HTTP,
				      .from = "appserver",
				      .to = "platform",
				      .data = text,
				      .len = sizeof(text) - 1,
				      .ends = FAKE_BOTH };
	json_t *lines = json_array();

	fake_trace_msg(lines, &msg);
	load(lines);
	ck_assert_str_eq(sim_label_ids(lb, 0), "");
}
END_TEST

START_TEST(broken_messages_are_named_and_nothing_more)
{
	static const char *const texts[] = {
		"",
		"\r\n\r\n",
		"REGISTER",
		"SIP/2.0",
		"SIP/2.0 4",
		"SIP/2.0 abc",
		":::\r\n:\r\n",
		"REGISTER sip:a\r\nTo",
		"REGISTER sip:a\r\nTo:<\r\nVia:;branch=",
		"REGISTER sip:a\r\nVia: x\r\n\r\n", /* no To at all */
		"REGISTER sip:a\r\nContact:;expires=",
		"\xff\xfe\x80"
	};
	static const enum trace_proto protos[] = { TRACE_SIP, TRACE_DIAMETER,
						   TRACE_HTTP };
	json_t *lines = json_array();

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		for (size_t p = 0; p < 3; p++) {
			const struct fake_msg msg = { .proto = protos[p],
						      .from = "terminal",
						      .to = "pcscf",
						      .data = texts[i],
						      .len = strlen(texts[i]),
						      .ends = FAKE_BOTH };

			fake_trace_msg(lines, &msg);
		}
	}
	load(lines);
	for (size_t i = 0; i < sim_trace_count(tr); i++)
		ck_assert_ptr_nonnull(sim_label_summary(lb, i));
}
END_TEST

START_TEST(a_cut_diameter_message_is_no_step)
{
	json_t *lines = fake_trace_patent(NULL, NULL), *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		const char *hex =
			json_string_value(json_object_get(line, "hex"));

		if (hex)
			json_object_set_new(line, "hex",
					    json_stringn(hex, 60 + i % 2 * 2));
	}
	load(lines);
	ck_assert_uint_eq(fake_trace_find(lb, "S503"), sim_trace_count(tr));
	ck_assert_str_eq(ids_at("S505"), "S505");
}
END_TEST

START_TEST(the_jsonl_has_a_line_for_each_entry)
{
	char *text = NULL, *next;
	size_t len, n = 0;
	FILE *f = open_memstream(&text, &len);

	load(fake_trace_patent(NULL, NULL));
	ck_assert_int_eq(sim_label_write_jsonl(lb, f), 0);
	fclose(f);
	for (char *p = text; *p; p = next + 1, n++) {
		json_t *line;

		next = strchr(p, '\n');
		*next = '\0';
		line = json_loads(p, 0, NULL);
		ck_assert_int_eq(json_integer_value(json_object_get(line, "n")),
				 n);
		if (n == fake_trace_find(lb, "S408 S501"))
			ck_assert_str_eq(json_string_value(json_object_get(
						 line, "steps")),
					 "S408 S501");
		json_decref(line);
	}
	ck_assert_uint_eq(n, sim_trace_count(tr));
	free(text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_label");
	TCase *tc = tcase_create("sequence");

	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc, the_whole_sequence_is_labelled_by_the_wire);
	tcase_add_test(tc, the_first_register_is_a_step_of_both_figures);
	tcase_add_test(tc, what_is_no_step_has_no_label_but_a_summary);
	tcase_add_test(tc, entries_know_their_public_identity);
	tcase_add_test(tc, a_foreign_hss_is_labelled_from_one_end);
	tcase_add_test(tc, a_retransmission_has_the_label_of_the_first);
	tcase_add_test(tc,
		       a_query_is_about_the_last_register_and_no_earlier_one);
	tcase_add_test(tc, a_refresh_with_credentials_answers_no_challenge);
	tcase_add_test(tc, who_is_challenged_again_may_answer_again);
	tcase_add_test(tc, a_second_appserver_has_steps_of_its_own);
	tcase_add_test(tc, the_jsonl_has_a_line_for_each_entry);
	suite_add_tcase(s, tc);
	tc = tcase_create("messages");
	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc, an_empty_response_is_no_credentials);
	tcase_add_test(tc, a_contacts_own_expires_goes_before_the_header);
	tcase_add_test(tc, a_lease_request_with_a_body_is_not_the_patents);
	tcase_add_test(tc, broken_messages_are_named_and_nothing_more);
	tcase_add_test(tc, a_cut_diameter_message_is_no_step);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
