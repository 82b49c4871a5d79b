/* Durable state: group commit, atomic calls, refusal of files not ours */
#include "common/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/loop.h"
#include "tests/suite.h"

static const char schema[] =
	"CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE,"
	"                   owner INTEGER REFERENCES item(id)"
	"                   DEFERRABLE INITIALLY DEFERRED);";
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
} t;

static void setup(void)
{
	t.loop = loop_new();
	strcpy(t.dir, "/tmp/test_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(t.dir));
	snprintf(t.path, sizeof(t.path), "%s/a.db", t.dir);
	t.store = NULL;
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
	int err = store_open(&t.store, t.loop, where, schema, &reason);

	ck_assert_msg(!err, "%s", reason ? reason : "no reason");
}

/* Opening must fail with this error and a sentence that holds this text */
static void expect_refused(const char *where, int err, const char *text)
{
	struct store *store = NULL;
	char *reason = NULL;

	ck_assert_int_eq(store_open(&store, t.loop, where, schema, &reason),
			 err);
	ck_assert_ptr_null(store);
	ck_assert_ptr_nonnull(reason);
	ck_assert_msg(strstr(reason, where) != NULL, "%s", reason);
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
	ck_assert(loop_run_until(t.loop, is_answered, a, 1000));
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

	open_at("memory");
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

	open_at("memory");
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

	open_at("memory");
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
	open_at("memory");
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

	open_at("memory");
	run1("SELECT nothing FROM nowhere", NULL, &a);
	wait_for(&a);
	ck_assert_int_eq(a.err, EIO);
	ck_assert_int_eq(count(), 0);
}
END_TEST

START_TEST(null_and_missing_cells_read_as_nothing)
{
	struct answer a = { 0 };

	open_at("memory");
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

	open_at(t.path);
	run1(insert, "late", &a);
	t.store = store_close(t.store);
	ck_assert_ptr_null(t.store);
	open_at(t.path);
	ck_assert_int_eq(count(), 1);
	ck_assert_int_eq(a.n, 0);
}
END_TEST

START_TEST(close_from_a_callback_ends_the_callbacks)
{
	struct answer a = { .close_here = &t.store }, b = { 0 };

	open_at(t.path);
	run1(insert, "one", &a);
	run1(insert, "two", &b);
	wait_for(&a);
	ck_assert_ptr_null(t.store);
	ck_assert_int_eq(b.n, 0);
	open_at(t.path);
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
		open_at(t.path);
		run1(insert, "kept", &a);
		wait_for(&a);
		_exit(a.err);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	open_at(t.path);
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
	expect_refused("postgresql://host/pool", EINVAL, "neither a file");
}
END_TEST

static Suite *store_suite(void)
{
	Suite *s = suite_create("store");
	TCase *tc = tcase_create("calls");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, callback_comes_later_with_the_rows);
	tcase_add_test(tc, statements_of_one_call_happen_all_or_none);
	tcase_add_test(tc, rows_are_those_of_the_last_statement_that_gave_any);
	tcase_add_test(tc, failed_commit_fails_every_call_of_the_group);
	tcase_add_test(tc, statement_that_does_not_compile_gives_eio);
	tcase_add_test(tc, null_and_missing_cells_read_as_nothing);
	tcase_add_test(tc, close_commits_what_is_queued_and_calls_nobody);
	tcase_add_test(tc, close_from_a_callback_ends_the_callbacks);
	tcase_add_test(tc, what_was_answered_is_there_after_kill);
	suite_add_tcase(s, tc);

	tc = tcase_create("files");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, file_is_for_its_owner_only);
	tcase_add_test(tc, file_in_use_is_refused);
	tcase_add_test(tc, file_of_another_kind_is_refused);
	tcase_add_test(tc, file_of_another_schema_is_refused);
	tcase_add_test(tc, corrupt_file_is_refused);
	tcase_add_test(tc, place_that_cannot_be_is_refused);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(store_suite)
