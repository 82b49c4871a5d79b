#include "common/store_pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

/* A group is one pipeline: each call ends with a Sync and is a transaction of
 * its own, so that one that fails takes nobody with it, and none holds locks
 * while another runs (two processes with one transaction a group would lock
 * each other out). Those commits do not wait for the disk; the last one of the
 * group does, and with it all that the log holds before it: group commit. */
static const char to_disk[] =
	"SELECT set_config('synchronous_commit', 'on', true),"
	" pg_logical_emit_message(true, 'sipshare', '')";

enum { OID_BOOL = 16, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23 };
enum { OID_TEXT = 25, OID_NUMERIC = 1700 };
enum { INT_LEN = 24, NAME_LEN = 24, GROUP_MAX = 256 };

static void add_step(struct store_pg *pg, enum pg_step_kind kind,
		     struct store_call *call, size_t stmt)
{
	size_t n = pg->step_n;

	if (!(n & (n - 1)))
		pg->steps = xrealloc(pg->steps,
				     (n ? 2 * n : 1) * sizeof(*pg->steps));
	pg->steps[pg->step_n++] = (struct pg_step){ kind, call, stmt };
}

/* ?1 is $1 here, but in a quoted text */
static char *to_dollars(const char *sql)
{
	char *copy = xstrdup(sql);
	bool is_quoted = false;

	for (char *p = copy; *p; p++) {
		if (*p == '\'')
			is_quoted = !is_quoted;
		else if (*p == '?' && !is_quoted)
			*p = '$';
	}

	return copy;
}

static size_t find_stmt(struct store_pg *pg, const char *sql)
{
	for (size_t i = 0; i < pg->stmt_n; i++)
		if (pg->stmts[i].sql == sql)
			return i;

	pg->stmts = xrealloc(pg->stmts, (pg->stmt_n + 1) * sizeof(*pg->stmts));
	pg->stmts[pg->stmt_n] = (struct pg_stmt){ sql, false };

	return pg->stmt_n++;
}

static Oid type_of(const struct store_cell *val)
{
	switch (val->type) {
	case STORE_INT:
		return OID_INT8;
	case STORE_TEXT:
		return OID_TEXT;
	default:
		return 0;
	}
}

/* A Sync of its own: what does not compile fails who uses it, by name */
static bool prepare(struct store_pg *pg, const struct store_query *q, size_t at)
{
	Oid *types = xcalloc((size_t)q->val_n + 1, sizeof(*types));
	char *sql = to_dollars(q->sql);
	char name[NAME_LEN];
	bool is_sent;

	for (int i = 0; i < q->val_n; i++)
		types[i] = type_of(&q->vals[i]);
	snprintf(name, sizeof(name), "s%zu", at);
	is_sent = PQsendPrepare(pg->conn, name, sql, q->val_n, types) &&
		  PQpipelineSync(pg->conn);
	add_step(pg, STEP_PREPARE, NULL, at);
	add_step(pg, STEP_END, NULL, 0);
	pg->stmts[at].is_prepared = true;
	free(types);
	free(sql);

	return is_sent;
}

static bool send_query(struct store_pg *pg, struct store_call *call,
		       const struct store_query *q)
{
	size_t n = (size_t)q->val_n + 1;
	const char **texts = xcalloc(n, sizeof(*texts));
	char(*ints)[INT_LEN] = xcalloc(n, sizeof(*ints));
	char name[NAME_LEN];
	bool is_sent;

	for (int i = 0; i < q->val_n; i++) {
		texts[i] = q->vals[i].s;
		if (q->vals[i].type != STORE_INT)
			continue;
		snprintf(ints[i], INT_LEN, "%lld", (long long)q->vals[i].i);
		texts[i] = ints[i];
	}
	snprintf(name, sizeof(name), "s%zu", find_stmt(pg, q->sql));
	is_sent = PQsendQueryPrepared(pg->conn, name, q->val_n, texts, NULL,
				      NULL, 0);
	add_step(pg, STEP_RUN, call, 0);
	free(texts);
	free(ints);

	return is_sent;
}

static bool send_call(struct store_pg *pg, struct store_call *call)
{
	bool is_sent = true;

	for (int i = 0; is_sent && i < call->n; i++) {
		size_t at = find_stmt(pg, call->v[i].sql);

		if (!pg->stmts[at].is_prepared)
			is_sent = prepare(pg, &call->v[i], at);
	}
	for (int i = 0; is_sent && i < call->n; i++)
		is_sent = send_query(pg, call, &call->v[i]);
	add_step(pg, STEP_END, call, 0);

	return is_sent && PQpipelineSync(pg->conn);
}

static bool is_read(const struct store_call *call)
{
	for (int i = 0; i < call->n; i++)
		if (strncmp(call->v[i].sql, "SELECT", 6) != 0)
			return false;

	return true;
}

static bool send_group(struct store_pg *pg)
{
	bool is_sent = true, is_written = false;

	pg->step_n = 0;
	pg->step_at = 0;
	for (struct store_call *c = pg->group; c && is_sent; c = c->next) {
		is_written |= !is_read(c);
		is_sent = send_call(pg, c);
	}
	if (!is_sent || !is_written)
		return is_sent;

	add_step(pg, STEP_FLUSH, NULL, 0);
	add_step(pg, STEP_END, NULL, 0);

	return PQsendQueryParams(pg->conn, to_disk, 0, NULL, NULL, NULL, NULL,
				 0) &&
	       PQpipelineSync(pg->conn);
}

/* What libpq could not send at once goes when the socket takes it */
static bool flush(struct store_pg *pg)
{
	int left = PQflush(pg->conn);

	if (left < 0)
		return false;
	store_pg_watch(pg, left ? LOOP_READ | LOOP_WRITE : LOOP_READ,
		       store_pg_io);

	return true;
}

static void start_group(struct store_pg *pg)
{
	timer_start_ms(pg->bound, timer_value_ms(TIMER_STORE_ANSWER));
	if (!send_group(pg) || !flush(pg))
		store_pg_lose(pg, PQerrorMessage(pg->conn));
}

/** Connected: what waited for it goes now */
void store_pg_up(struct store_pg *pg)
{
	for (size_t i = 0; i < pg->stmt_n; i++)
		pg->stmts[i].is_prepared = false;
	if (pg->group)
		start_group(pg);
	else
		store_pg_watch(pg, LOOP_READ, store_pg_io);
}

static void read_cell(struct store_cell *cell, const PGresult *res, int row,
		      int col)
{
	const char *text = PQgetvalue(res, row, col);

	*cell = (struct store_cell){ STORE_INT, 0, NULL };
	if (PQgetisnull(res, row, col))
		return;

	switch (PQftype(res, col)) {
	case OID_BOOL:
		cell->i = *text == 't';
		break;
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
	case OID_NUMERIC:
		cell->i = strtoll(text, NULL, 10);
		break;
	default:
		cell->i = strtoll(text, NULL, 10);
		cell->s = xstrdup(text);
	}
}

static void read_rows(struct store_rows *rows, const PGresult *res)
{
	int n = PQntuples(res);

	if (!n)
		return;

	store_rows_clear(rows);
	rows->col_n = PQnfields(res);
	for (int i = 0; i < n; i++) {
		struct store_cell *row = store_rows_add(rows);

		for (int j = 0; j < rows->col_n; j++)
			read_cell(&row[j], res, i, j);
	}
}

static bool is_state(const PGresult *res, const char *prefix)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	return state && !strncmp(state, prefix, strlen(prefix));
}

/* Never with the server's details, which hold values */
static void log_refused(const struct store_pg *pg, const PGresult *res,
			const char *what)
{
	const char *why = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	log_error("store %s: %s: in: %s", pg->name, why ? why : "no reason",
		  what);
}

static const char *sql_of(const struct store_pg *pg, const struct pg_step *step)
{
	if (step->kind == STEP_PREPARE)
		return pg->stmts[step->stmt].sql;
	if (step->call)
		return step->call->v[0].sql;

	return to_disk;
}

static void refused(struct store_pg *pg, const struct pg_step *step,
		    const PGresult *res)
{
	bool is_double = is_state(res, "23505"); /* unique_violation */

	if (step->kind == STEP_PREPARE)
		pg->stmts[step->stmt].is_prepared = false;
	/* 26000: its PREPARE has said why */
	if (!is_double && !is_state(res, "26000"))
		log_refused(pg, res, sql_of(pg, step));
	if (step->call && !step->call->err)
		step->call->err = is_double ? EEXIST : EIO;
	if (step->call || step->kind == STEP_PREPARE)
		return;

	/* nothing of this group is sure to be on disk */
	for (struct store_call *c = pg->group; c; c = c->next)
		if (!is_read(c))
			c->err = EIO;
}

/* One result of the step that is next; false: the connection is lost */
static bool take(struct store_pg *pg, PGresult *res)
{
	struct pg_step *step = &pg->steps[pg->step_at];

	/* the end of a statement's results; a Sync has its own result */
	if (!res) {
		pg->step_at += step->kind != STEP_END;
		return PQstatus(pg->conn) == CONNECTION_OK;
	}

	switch (PQresultStatus(res)) {
	case PGRES_PIPELINE_SYNC:
		pg->step_at++;
		break;
	case PGRES_TUPLES_OK:
		if (step->call)
			read_rows(&step->call->rows, res);
		break;
	case PGRES_COMMAND_OK:
	case PGRES_PIPELINE_ABORTED:
		break;
	default:
		/* 57P: the server, or somebody there, ends us (57P01 …) */
		if (PQstatus(pg->conn) != CONNECTION_OK || is_state(res, "57P"))
			return false;
		refused(pg, step, res);
	}

	return true;
}

/** The group is over. err: of those calls that have none of their own */
void store_pg_done(struct store_pg *pg, int err)
{
	struct store_call *again = NULL, *first = NULL;
	struct store_call **again_end = &again, **end = &first, *next;

	for (struct store_call *c = pg->group; c; c = next) {
		bool is_again = err && !c->err && is_read(c) && !c->tries++ &&
				!pg->is_given_up;

		next = c->next;
		c->next = NULL;
		if (err && !c->err)
			c->err = err;
		if (c->err)
			store_rows_clear(&c->rows);
		if (is_again)
			c->err = 0;
		*(is_again ? again_end : end) = c;
		if (is_again)
			again_end = &c->next;
		else
			end = &c->next;
	}
	pg->group = NULL;
	pg->step_n = 0;
	pg->step_at = 0;
	pg->base.done(first, again, pg->base.arg);
}

/* The socket is ready */
void store_pg_io(void *arg)
{
	struct store_pg *pg = arg;
	bool is_good = PQconsumeInput(pg->conn) && flush(pg);

	while (is_good && pg->step_at < pg->step_n && !PQisBusy(pg->conn)) {
		PGresult *res = PQgetResult(pg->conn);

		is_good = take(pg, res);
		PQclear(res);
	}
	/* with no answer awaited, what comes is a notice, or the end */
	if (is_good && !pg->group && !PQisBusy(pg->conn))
		is_good = PQstatus(pg->conn) == CONNECTION_OK;
	if (!is_good) {
		store_pg_lose(pg, PQerrorMessage(pg->conn));
		return;
	}
	if (pg->group && pg->step_at == pg->step_n) {
		timer_stop(pg->bound);
		store_pg_done(pg, 0);
	}
}

static void run(struct store_backend *b, struct store_call *first)
{
	struct store_pg *pg = (struct store_pg *)b;

	pg->group = first;
	if (pg->state == PG_UP)
		start_group(pg);
	else if (pg->is_given_up)
		store_pg_done(pg, EIO);
}

/* Where done() goes while the store closes: nobody is called any more */
static void drop(struct store_call *first, struct store_call *again, void *arg)
{
	struct store_pg *pg = arg;

	while (first) {
		if (first->err)
			log_error("store %s: closed with a change that is not "
				  "sure to be made: %s",
				  pg->name, first->v[0].sql);
		first = store_call_free(first);
	}
	while (again)
		again = store_call_free(again);
}

/* Nobody is served any more: here alone it waits, at most TIMER_DRAIN for each
 * answer */
static void finish_group(struct store_pg *pg)
{
	int wait_ms = (int)timer_value_ms(TIMER_DRAIN);

	while (pg->group && pg->state == PG_UP) {
		short out = pg->watched & LOOP_WRITE ? POLLOUT : 0;
		struct pollfd p = { PQsocket(pg->conn), POLLIN | out, 0 };

		if (poll(&p, 1, wait_ms) <= 0)
			break;
		store_pg_io(pg);
	}
	if (pg->group)
		store_pg_done(pg, EIO);
}

static void close_db(struct store_backend *b, struct store_call *first)
{
	struct store_pg *pg = (struct store_pg *)b;

	pg->base.done = drop;
	pg->base.arg = pg;
	pg->is_given_up = true; /* nothing is asked again */
	if (pg->group)
		finish_group(pg);
	if (first)
		run(b, first);
	if (pg->group)
		finish_group(pg);
	loop_unwatch(pg->watch);
	timer_free(pg->retry);
	timer_free(pg->bound);
	PQfinish(pg->conn);
	free(pg->steps);
	free(pg->stmts);
	free(pg->uri);
	free(pg->name);
	free(pg->app);
	free(pg->options);
	free(pg);
}

const struct store_ops store_pg_ops = { STORE_POSTGRESQL, GROUP_MAX, run,
					close_db };
