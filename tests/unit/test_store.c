/* Durable state: group commit, atomic calls, refusal of files not ours. The
 * same tests run on SQLite and on a PostgreSQL of our own, but for what files
 * and connections alone have. */
#include "common/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/timer.h"
#include "tests/fake/fake_pg.h"
#include "tests/suite.h"

#define SCHEMA(id)                                                             \
	"CREATE TABLE item (id " id ", name TEXT UNIQUE,"                      \
	"                   owner INTEGER REFERENCES item(id)"                 \
	"                   DEFERRABLE INITIALLY DEFERRED);"

static const char *const schemas[STORE_DIALECT_N] = {
	[STORE_SQLITE] = SCHEMA("INTEGER PRIMARY KEY"),
	[STORE_POSTGRESQL] =
		SCHEMA("INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
};
static const char insert[] = "INSERT INTO item (name) VALUES (?1) RETURNING id";
static const char insert_owned[] =
	"INSERT INTO item (name, owner) VALUES (?1, ?2)";
static const char select_all[] = "SELECT id, name, owner FROM item ORDER BY id";

/** What a callback got */
struct answer {
	int n; /* times called */
	int err;
	int row_n;
	int64_t id;
	char name[32];
	struct store **close_here;
};

static struct {
	struct loop *loop;
	struct store *store;
	char dir[64];
	char path[128];
	const char *memory; /* a new store */
	const char *lasting;
} t;

/* Started once, by the process that runs the tests */
static struct fake_pg *server;

static void setup(void)
{
	t.loop = loop_new();
	strcpy(t.dir, "/tmp/test_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(t.dir));
	snprintf(t.path, sizeof(t.path), "%s/a.db", t.dir);
	t.store = NULL;
	t.memory = "memory";
	t.lasting = t.path;
}

static void start_server(void)
{
	server = fake_pg_start();
}

static void stop_server(void)
{
	server = fake_pg_stop(server);
}

static void setup_pg(void)
{
	setup();
	fake_pg_empty(server);
	t.memory = fake_pg_uri(server);
	t.lasting = t.memory;
}

static void teardown(void)
{
	char cmd[160];

	store_close(t.store);
	loop_free(t.loop);
	snprintf(cmd, sizeof(cmd), "rm -r %s", t.dir);
	ck_assert_int_eq(system(cmd), 0); /* NOLINT: our own folder */
}

static void open_at(const char *where)
{
	char *reason = NULL;
	int err = store_open_either(&t.store, t.loop, where, schemas, &reason);

	ck_assert_msg(!err, "%s", reason ? reason : "no reason");
}

/* Opening must fail with this error and a sentence that holds this text */
static void expect_refused(const char *where, int err, const char *text)
{
	struct store *store = NULL;
	char *reason = NULL;

	ck_assert_int_eq(
		store_open_either(&store, t.loop, where, schemas, &reason),
		err);
	ck_assert_ptr_null(store);
	ck_assert_ptr_nonnull(reason);
	ck_assert_msg(strstr(where, "://") || strstr(reason, where) != NULL,
		      "%s", reason);
	ck_assert_msg(strstr(reason, text) != NULL, "%s", reason);
	free(reason);
}

static void on_answer(int err, const struct store_rows *rows, void *arg)
{
	struct answer *a = arg;
	const char *name = store_text(rows, 0, 1);

	a->n++;
	a->err = err;
	a->row_n = store_row_count(rows);
	a->id = store_int(rows, 0, 0);
	snprintf(a->name, sizeof(a->name), "%s", name ? name : "");
	if (a->close_here)
		*a->close_here = store_close(*a->close_here);
}

static bool is_answered(const void *arg)
{
	return ((const struct answer *)arg)->n > 0;
}

static void run1(const char *sql, const char *name, struct answer *a)
{
	struct store_val vals[] = { STORE_S(name) };
	struct store_stmt stmt = { sql, vals, name ? 1 : 0 };

	store_run(t.store, &stmt, 1, a ? on_answer : NULL, a);
}

static void wait_for(const struct answer *a)
{
	ck_assert(loop_run_until(t.loop, is_answered, a, PATIENCE_MS));
}

static int count(void)
{
	struct answer a = { 0 };

	run1(select_all, NULL, &a);
	wait_for(&a);
	ck_assert_int_eq(a.err, 0);

	return a.row_n;
}

START_TEST(callback_comes_later_with_the_rows)
{
	struct answer a = { 0 }, b = { 0 };

	open_at(t.memory);
	run1(insert, "one", &a);
	run1(select_all, NULL, &b);
	ck_assert_int_eq(a.n, 0);
	wait_for(&b);
	ck_assert_int_eq(a.n, 1);
	ck_assert_int_eq(a.id, 1);
	ck_assert_int_eq(b.row_n, 1);
	ck_assert_str_eq(b.name, "one");
}
END_TEST

START_TEST(statements_of_one_call_happen_all_or_none)
{
	struct answer good = { 0 }, bad = { 0 };
	struct store_val x[] = { STORE_S("x") }, y[] = { STORE_S("y") };
	struct store_stmt twice[] = { { insert, y, 1 },
				      { insert, x, 1 },
				      { insert, x, 1 } };

	open_at(t.memory);
	store_run(t.store, twice, 3, on_answer, &bad);
	run1(insert, "y", &good);
	wait_for(&good);
	ck_assert_int_eq(bad.err, EEXIST);
	ck_assert_int_eq(bad.row_n, 0);
	ck_assert_int_eq(good.err, 0);
	ck_assert_int_eq(count(), 1);
}
END_TEST

START_TEST(rows_are_those_of_the_last_statement_that_gave_any)
{
	struct answer a = { 0 };
	struct store_val x[] = { STORE_S("x") };
	struct store_stmt v[] = { { insert, x, 1 },
				  { "DELETE FROM item WHERE id = 7", NULL, 0 },
				  { "SELECT id FROM item WHERE id = 7", NULL,
				    0 } };

	open_at(t.memory);
	store_run(t.store, v, 3, on_answer, &a);
	wait_for(&a);
	ck_assert_int_eq(a.row_n, 1);
	ck_assert_int_eq(a.id, 1);
}
END_TEST

START_TEST(failed_commit_fails_every_call_of_the_group)
{
	struct answer good = { 0 }, bad = { 0 };
	struct store_val vals[] = { STORE_S("orphan"), STORE_I(99) };
	struct store_stmt orphan = { insert_owned, vals, 2 };

	/* the deferred foreign key is looked at by COMMIT only */
	open_at(t.memory);
	run1(insert, "good", &good);
	store_run(t.store, &orphan, 1, on_answer, &bad);
	wait_for(&bad);
	ck_assert_int_eq(good.err, EIO);
	ck_assert_int_eq(good.row_n, 0);
	ck_assert_int_eq(bad.err, EIO);
	ck_assert_int_eq(count(), 0);
}
END_TEST

START_TEST(statement_that_does_not_compile_gives_eio)
{
	struct answer a = { 0 };

	open_at(t.memory);
	run1("SELECT nothing FROM nowhere", NULL, &a);
	wait_for(&a);
	ck_assert_int_eq(a.err, EIO);
	ck_assert_int_eq(count(), 0);
}
END_TEST

START_TEST(null_and_missing_cells_read_as_nothing)
{
	struct answer a = { 0 };

	open_at(t.memory);
	run1("SELECT NULL, 7", NULL, &a);
	wait_for(&a);
	ck_assert_int_eq(a.row_n, 1);
	ck_assert_int_eq(a.id, 0);
	ck_assert_str_eq(a.name, "");
}
END_TEST

START_TEST(close_commits_what_is_queued_and_calls_nobody)
{
	struct answer a = { 0 };

	open_at(t.lasting);
	run1(insert, "late", &a);
	t.store = store_close(t.store);
	ck_assert_ptr_null(t.store);
	open_at(t.lasting);
	ck_assert_int_eq(count(), 1);
	ck_assert_int_eq(a.n, 0);
}
END_TEST

START_TEST(close_from_a_callback_ends_the_callbacks)
{
	struct answer a = { .close_here = &t.store }, b = { 0 };

	open_at(t.lasting);
	run1(insert, "one", &a);
	run1(insert, "two", &b);
	wait_for(&a);
	ck_assert_ptr_null(t.store);
	ck_assert_int_eq(b.n, 0);
	open_at(t.lasting);
	ck_assert_int_eq(count(), 2);
}
END_TEST

/* kill -9: the other process writes, is told so, and is gone */
START_TEST(what_was_answered_is_there_after_kill)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct answer a = { 0 };
		/* a loop of its own: the parent's descriptors are shared */
		t.loop = loop_new();
		open_at(t.lasting);
		run1(insert, "kept", &a);
		wait_for(&a);
		_exit(a.err);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	open_at(t.lasting);
	ck_assert_int_eq(count(), 1);
}
END_TEST

START_TEST(file_is_for_its_owner_only)
{
	struct stat st;

	open_at(t.path);
	ck_assert_int_eq(stat(t.path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(file_in_use_is_refused)
{
	open_at(t.path);
	expect_refused(t.path, EBUSY, "another process uses it");
}
END_TEST

static void write_file(const char *text, size_t n)
{
	FILE *f = fopen(t.path, "w");

	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < n; i++)
		fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(file_of_another_kind_is_refused)
{
	write_file("this is a text file. ", 100);
	expect_refused(t.path, EINVAL, "no SQLite file");
}
END_TEST

START_TEST(file_of_another_schema_is_refused)
{
	struct store *store = NULL;
	char *reason = NULL;

	ck_assert_int_eq(store_open(&store, t.loop, t.path,
				    "CREATE TABLE other (id INTEGER);",
				    &reason),
			 0);
	store_close(store);
	expect_refused(t.path, EINVAL, "another element");
}
END_TEST

START_TEST(corrupt_file_is_refused)
{
	FILE *f;

	open_at(t.path);
	for (int i = 0; i < 400; i++)
		run1("INSERT INTO item (name) VALUES (hex(randomblob(200)))",
		     NULL, NULL);
	t.store = store_close(t.store);
	f = fopen(t.path, "r+");
	ck_assert_ptr_nonnull(f);
	fseek(f, 4096, SEEK_SET);
	for (int i = 0; i < 3 * 4096; i++)
		fputc(0x5a, f);
	fclose(f);
	expect_refused(t.path, EIO, "orrupt");
}
END_TEST

START_TEST(place_that_cannot_be_is_refused)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/no/such.db", t.dir);
	expect_refused(path, ENOENT, "No such file");
	expect_refused("", EINVAL, "neither a file");
}
END_TEST

START_TEST(element_of_its_own_state_takes_no_postgresql)
{
	struct store *store = NULL;
	char *reason = NULL;

	ck_assert_int_eq(store_open(&store, t.loop, "postgresql://host/pool",
				    schemas[STORE_SQLITE], &reason),
			 EINVAL);
	ck_assert_msg(strstr(reason, "neither a file") != NULL, "%s", reason);
	free(reason);
}
END_TEST

START_TEST(failed_commit_fails_its_own_call_alone)
{
	struct answer good = { 0 }, bad = { 0 };
	struct store_val vals[] = { STORE_S("orphan"), STORE_I(99) };
	struct store_stmt orphan = { insert_owned, vals, 2 };

	open_at(t.memory);
	store_run(t.store, &orphan, 1, on_answer, &bad);
	run1(insert, "good", &good);
	wait_for(&good);
	ck_assert_int_eq(bad.err, EIO);
	ck_assert_int_eq(good.err, 0);
	ck_assert_int_eq(count(), 1);
}
END_TEST

/* More than a group, more than a socket's buffer, in order */
START_TEST(many_calls_run_in_the_order_they_were_queued)
{
	enum { N = 3000, LEN = 2000 };
	static char name[LEN];
	struct answer last = { 0 };

	open_at(t.memory);
	for (int i = 0; i < N; i++) {
		memset(name, 'x', LEN - 1);
		snprintf(name + LEN - 10, 10, "%08d", i);
		run1(insert, name, i == N - 1 ? &last : NULL);
	}
	wait_for(&last);
	ck_assert_int_eq(last.err, 0);
	ck_assert_int_eq(last.id, N);
	ck_assert_int_eq(count(), N);
}
END_TEST

START_TEST(two_processes_share_a_database)
{
	struct store *other = NULL;
	struct answer a = { 0 };
	char *reason = NULL;

	open_at(t.memory);
	ck_assert_int_eq(
		store_open_either(&other, t.loop, t.memory, schemas, &reason),
		0);
	run1(insert, "mine", &a);
	wait_for(&a);
	store_close(t.store);
	t.store = other;
	ck_assert_int_eq(count(), 1);
}
END_TEST

/* What was answered is in the log that the server has brought to disk */
START_TEST(what_was_answered_is_there_after_the_server_dies)
{
	struct answer a = { 0 };

	open_at(t.memory);
	run1(insert, "kept", &a);
	wait_for(&a);
	fake_pg_crash(server);
	fake_pg_restart(server);
	ck_assert_int_eq(count(), 1);
}
END_TEST

static const char kill_others[] =
	"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
	" WHERE pid <> pg_backend_pid() AND application_name LIKE 'sipshare%'";

/* Nobody but who asks is connected */
static bool is_alone(void)
{
	return fake_pg_get(server, "SELECT count(*) FROM pg_stat_activity"
				   " WHERE pid <> pg_backend_pid() AND"
				   " application_name LIKE 'sipshare%'") == 0;
}

START_TEST(lost_connection_is_made_again_and_what_is_queued_goes_then)
{
	struct answer a = { 0 };

	open_at(t.memory);
	ck_assert_int_eq(count(), 0);
	ck_assert_int_eq(fake_pg_get(server, kill_others), 1);
	/* what is sent while the server hangs up may be made or not: first it
	 * has hung up, and then we have had a turn to see it */
	for (int tries = 0; !is_alone(); tries++)
		ck_assert_int_lt(tries, 1000);
	(void)loop_run_until(t.loop, is_answered, &a, 20);
	run1(insert, "later", &a);
	wait_for(&a);
	ck_assert_int_eq(a.err, 0);
	ck_assert_int_eq(count(), 1);
}
END_TEST

static const char write_slowly[] =
	"INSERT INTO item (name) SELECT ?1 FROM pg_sleep(0.3)";

START_TEST(write_whose_connection_is_lost_fails_and_a_read_is_run_again)
{
	struct answer w = { 0 }, r = { 0 }, never = { 0 };

	open_at(t.memory);
	run1("SELECT count(*) FROM item", NULL, &r);
	run1(write_slowly, "unsure", &w);
	(void)loop_run_until(t.loop, is_answered, &never, 100);
	ck_assert_int_eq(fake_pg_get(server, kill_others), 1);
	wait_for(&w);
	ck_assert_int_eq(w.err, EIO);
	wait_for(&r);
	ck_assert_int_eq(r.err, 0);
	ck_assert_int_eq(r.row_n, 1);
}
END_TEST

START_TEST(read_that_ends_its_connection_each_time_fails_at_last)
{
	struct answer a = { 0 };

	open_at(t.memory);
	run1("SELECT pg_terminate_backend(pg_backend_pid())", NULL, &a);
	wait_for(&a);
	ck_assert_int_eq(a.err, EIO);
	ck_assert_int_eq(count(), 0);
}
END_TEST

static void set_timer(const char *assignment)
{
	const char *reason = NULL;

	ck_assert_msg(!timer_override(assignment, &reason), "%s", reason);
}

START_TEST(calls_fail_while_the_server_is_away_and_run_when_it_is_back)
{
	struct answer a = { 0 }, b = { 0 }, c = { 0 }, never = { 0 };

	set_timer("store-answer=100ms");
	set_timer("store-reconnect-max=50ms");
	open_at(t.memory);
	fake_pg_crash(server);
	run1(insert, "one", &a);
	wait_for(&a);
	ck_assert_int_eq(a.err, EIO);
	(void)loop_run_until(t.loop, is_answered, &never, 200);
	run1(insert, "two", &b); /* at once now */
	ck_assert(loop_run_until(t.loop, is_answered, &b, 20));
	ck_assert_int_eq(b.err, EIO);
	fake_pg_restart(server);
	(void)loop_run_until(t.loop, is_answered, &never, 400);
	run1(insert, "three", &c);
	wait_for(&c);
	ck_assert_int_eq(c.err, 0);
	ck_assert_int_eq(count(), 1);
}
END_TEST

START_TEST(server_that_does_not_answer_is_given_up_in_time)
{
	struct answer a = { 0 };

	set_timer("store-answer=100ms");
	open_at(t.memory);
	run1(write_slowly, "slow", &a);
	wait_for(&a);
	ck_assert_int_eq(a.err, EIO);
}
END_TEST

START_TEST(close_while_the_server_is_away_ends)
{
	open_at(t.memory);
	fake_pg_crash(server);
	run1(insert, "lost", NULL);
	t.store = store_close(t.store);
	fake_pg_restart(server);
	open_at(t.memory);
	ck_assert_int_eq(count(), 0);
}
END_TEST

START_TEST(two_that_open_an_empty_database_at_once_make_it_once)
{
	enum { N = 4 };
	pid_t pids[N];
	int status;

	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i])
			continue;
		t.loop = loop_new();
		open_at(t.memory);
		_exit(0);
	}
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

START_TEST(database_that_cannot_be_is_refused)
{
	char where[256];

	snprintf(where, sizeof(where), "%s&dbname=none", t.memory);
	expect_refused(where, ECONNREFUSED, "\"none\" does not exist");
	expect_refused("postgresql://127.0.0.1:1/pool", ECONNREFUSED,
		       "127.0.0.1:1/pool");
	expect_refused("postgresql://u:se%cret@h/pool", EINVAL,
		       "no connection URI");
	fake_pg_exec(server, "CREATE TABLE item (id INTEGER)");
	expect_refused(t.memory, EIO, "database of its own");
}
END_TEST

START_TEST(database_of_another_schema_is_refused)
{
	open_at(t.memory);
	fake_pg_exec(server, "UPDATE sipshare_schema SET version = 7");
	expect_refused(t.memory, EINVAL, "another element");
}
END_TEST

/* What holds for a store of either kind */
static TCase *both(const char *name, void (*fixture)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, fixture, teardown);
	tcase_add_test(tc, callback_comes_later_with_the_rows);
	tcase_add_test(tc, statements_of_one_call_happen_all_or_none);
	tcase_add_test(tc, rows_are_those_of_the_last_statement_that_gave_any);
	tcase_add_test(tc, statement_that_does_not_compile_gives_eio);
	tcase_add_test(tc, null_and_missing_cells_read_as_nothing);
	tcase_add_test(tc, many_calls_run_in_the_order_they_were_queued);
	tcase_add_test(tc, close_commits_what_is_queued_and_calls_nobody);
	tcase_add_test(tc, close_from_a_callback_ends_the_callbacks);
	tcase_add_test(tc, what_was_answered_is_there_after_kill);

	return tc;
}

static TCase *files(void)
{
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, failed_commit_fails_every_call_of_the_group);
	tcase_add_test(tc, file_is_for_its_owner_only);
	tcase_add_test(tc, file_in_use_is_refused);
	tcase_add_test(tc, file_of_another_kind_is_refused);
	tcase_add_test(tc, file_of_another_schema_is_refused);
	tcase_add_test(tc, corrupt_file_is_refused);
	tcase_add_test(tc, place_that_cannot_be_is_refused);
	tcase_add_test(tc, element_of_its_own_state_takes_no_postgresql);

	return tc;
}

static void add_connections(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, start_server, stop_server);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, failed_commit_fails_its_own_call_alone);
	tcase_add_test(tc, two_processes_share_a_database);
	tcase_add_test(
		tc, lost_connection_is_made_again_and_what_is_queued_goes_then);
	tcase_add_test(
		tc,
		write_whose_connection_is_lost_fails_and_a_read_is_run_again);
	tcase_add_test(tc,
		       read_that_ends_its_connection_each_time_fails_at_last);
	tcase_add_test(tc, server_that_does_not_answer_is_given_up_in_time);
	tcase_add_test(tc,
		       two_that_open_an_empty_database_at_once_make_it_once);
	tcase_add_test(tc, database_that_cannot_be_is_refused);
	tcase_add_test(tc, database_of_another_schema_is_refused);
}

/* Each with a server of its own */
static TCase *deaths(void)
{
	TCase *tc = tcase_create("server that dies");

	tcase_add_checked_fixture(tc, start_server, stop_server);
	tcase_add_checked_fixture(tc, setup_pg, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, what_was_answered_is_there_after_the_server_dies);
	tcase_add_test(
		tc,
		calls_fail_while_the_server_is_away_and_run_when_it_is_back);
	tcase_add_test(tc, close_while_the_server_is_away_ends);

	return tc;
}

static Suite *store_suite(void)
{
	Suite *s = suite_create("store");
	TCase *tc = both("postgresql", setup_pg);

	suite_add_tcase(s, both("sqlite", setup));
	suite_add_tcase(s, files());
	add_connections(tc);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, deaths());

	return s;
}

SUITE_MAIN(store_suite)
