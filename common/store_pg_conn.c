#include "common/store_pg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

/* A commit alone does not wait for the disk, for its group does; each statement
 * sees what others committed before it; a server whose client's host is gone
 * notices it within about 11 s */
static const char settings[] =
	"-c synchronous_commit=off"
	" -c default_transaction_isolation=read\\ committed"
	" -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2"
	" -c tcp_keepalives_count=3";

/* One at a time makes the tables, and on disk they are when that is over. The
 * number is any, but ours. */
static const char begin[] = "BEGIN; SET LOCAL synchronous_commit = on;"
			    "SELECT pg_advisory_xact_lock(516675)";
static const char find_version[] =
	"SELECT to_regclass('sipshare_schema') IS NOT NULL";
static const char get_version[] = "SELECT version FROM sipshare_schema";
static const char make_version[] =
	"CREATE TABLE sipshare_schema (version BIGINT NOT NULL)";

/** Whether it names a PostgreSQL (libpq, 34.1.1.2) */
bool store_pg_is_uri(const char *where)
{
	return !strncmp(where, "postgresql://", 13) ||
	       !strncmp(where, "postgres://", 11);
}

/* Call cb when the socket is ready. libpq may change its socket while it
 * connects, so it is looked up each time. */
static void watch_anew(struct store_pg *pg, int what, loop_cb *cb)
{
	pg->watch = loop_unwatch(pg->watch);
	pg->watched = what;
	if (what)
		pg->watch = loop_watch_fd(pg->loop, PQsocket(pg->conn), what,
					  cb, pg);
}

/** Call cb when the socket is ready for what; kept, if that is so already */
void store_pg_watch(struct store_pg *pg, int what, loop_cb *cb)
{
	if (!pg->watch || what != pg->watched)
		watch_anew(pg, what, cb);
}

/* libpq's message without its end of line, or its first line alone */
static char *first_line(const char *text)
{
	return xstrndup(text, strcspn(text, "\n"));
}

/* The URI gives what these do not; what stands after it holds over it. The
 * URI's own options go before ours. */
static const char *const *make_keywords(const struct store_pg *pg,
					const char **values)
{
	static const char *const keywords[] = {
		"connect_timeout",  "keepalives_idle", "keepalives_interval",
		"keepalives_count", "dbname",          "options",
		"application_name", "client_encoding", NULL
	};
	const char *const v[] = { "5",         "5",     "2",    "3", pg->uri,
				  pg->options, pg->app, "UTF8", NULL };

	memcpy(values, v, sizeof(v));

	return keywords;
}

enum { KEYWORD_N = 9 };

/* What it says, and nobody asked: not to stderr */
static void on_notice(void *arg, const char *text)
{
	const struct store_pg *pg = arg;
	char *line = first_line(text);

	log_debug("store %s: %s", pg->name, line);
	free(line);
}

static void set_up(struct store_pg *pg)
{
	pg->state = PG_UP;
	pg->is_given_up = false;
	pg->delay_ms = timer_value_ms(TIMER_STORE_RECONNECT_MIN);
	timer_stop(pg->retry);
	timer_stop(pg->bound);
	(void)PQsetNoticeProcessor(pg->conn, on_notice, pg);
	(void)PQsetnonblocking(pg->conn, 1);
	(void)PQenterPipelineMode(pg->conn);
	store_pg_up(pg);
}

static void come_down(struct store_pg *pg)
{
	pg->watch = loop_unwatch(pg->watch);
	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->state = PG_DOWN;
	timer_start_ms(pg->retry, pg->delay_ms);
	pg->delay_ms *= 2;
	if (pg->delay_ms > timer_value_ms(TIMER_STORE_RECONNECT_MAX))
		pg->delay_ms = timer_value_ms(TIMER_STORE_RECONNECT_MAX);
}

static void on_connecting(void *arg)
{
	struct store_pg *pg = arg;
	PostgresPollingStatusType got = PQconnectPoll(pg->conn);
	char *why;

	switch (got) {
	case PGRES_POLLING_READING:
		watch_anew(pg, LOOP_READ, on_connecting);
		break;
	case PGRES_POLLING_WRITING:
		watch_anew(pg, LOOP_WRITE, on_connecting);
		break;
	case PGRES_POLLING_OK:
		log_info("store %s: connected again", pg->name);
		pg->watch = loop_unwatch(pg->watch);
		set_up(pg);
		break;
	default:
		why = first_line(PQerrorMessage(pg->conn));
		log_debug("store %s: %s", pg->name, why);
		free(why);
		come_down(pg);
	}
}

/* Time to try anew; also when the last try has had no answer until now */
static void on_retry(void *arg)
{
	struct store_pg *pg = arg;
	const char *values[KEYWORD_N];
	const char *const *keywords = make_keywords(pg, values);

	if (pg->state == PG_CONNECTING) {
		come_down(pg);
		return;
	}

	pg->conn = PQconnectStartParams(keywords, values, 1);
	pg->state = PG_CONNECTING;
	if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD) {
		come_down(pg);
		return;
	}
	timer_start_ms(pg->retry, timer_value_ms(TIMER_STORE_ANSWER));
	watch_anew(pg, LOOP_WRITE, on_connecting);
}

/* Without an answer for too long, or without a connection: who waits is told,
 * and who comes is not kept waiting, until it is there again */
static void on_bound(void *arg)
{
	struct store_pg *pg = arg;

	if (pg->state == PG_UP) {
		store_pg_lose(pg, "no answer in time");
		return;
	}

	log_error("store %s: not there for %d ms (timer store-answer): calls "
		  "fail until it is; see to the database",
		  pg->name, (int)timer_value_ms(TIMER_STORE_ANSWER));
	pg->is_given_up = true;
	if (pg->group)
		store_pg_done(pg, EIO);
}

/**
 * The connection is lost. Of what was under way, calls that only read are run
 * again; those that write may have happened or not, and fail with EIO: their
 * caller asks what is. What is still queued waits for the next connection.
 */
void store_pg_lose(struct store_pg *pg, const char *why)
{
	char *line = first_line(why);

	log_warn("store %s: connection lost: %s", pg->name,
		 *line ? line : "closed by the server");
	free(line);
	come_down(pg);
	timer_start_ms(pg->bound, timer_value_ms(TIMER_STORE_ANSWER));
	if (pg->group)
		store_pg_done(pg, EIO);
}

/* host:port/database of a connection, without its password */
static char *show(const PGconn *conn)
{
	return xasprintf(
		"postgresql://%s:%s/%s", PQhost(conn) ? PQhost(conn) : "",
		PQport(conn) ? PQport(conn) : "", PQdb(conn) ? PQdb(conn) : "");
}

static int check_uri(struct store_pg *pg, const char *where, char **reasonp)
{
	char *why = NULL;
	PQconninfoOption *v = PQconninfoParse(where, &why);
	const char *own = NULL;

	if (!v) {
		/* libpq's words may hold the password, so they stay here */
		*reasonp = xstrdup("store postgresql://: the rest is no "
				   "connection URI; give one like "
				   "postgresql://user@host:5432/database");
		PQfreemem(why);
		return EINVAL;
	}

	for (const PQconninfoOption *o = v; o->keyword; o++)
		if (!strcmp(o->keyword, "options"))
			own = o->val;
	pg->options =
		xasprintf("%s%s%s", own ? own : "", own ? " " : "", settings);
	PQconninfoFree(v);

	return 0;
}

/* To the caller: what, where, what to do */
static int explain(const struct store_pg *pg, int err, const char *todo,
		   char **reasonp)
{
	char *line = first_line(PQerrorMessage(pg->conn));

	*reasonp = xasprintf("store %s: %s; %s", pg->name, line, todo);
	free(line);

	return err;
}

static int connect_first(struct store_pg *pg, char **reasonp)
{
	const char *values[KEYWORD_N];
	const char *const *keywords = make_keywords(pg, values);

	pg->conn = PQconnectdbParams(keywords, values, 1);
	pg->name = show(pg->conn);
	if (PQstatus(pg->conn) == CONNECTION_OK)
		return 0;

	return explain(pg, ECONNREFUSED,
		       "see that the server runs, that database and user are "
		       "there and that the user may enter",
		       reasonp);
}

static bool exec(const struct store_pg *pg, const char *sql, int64_t *valuep)
{
	PGresult *res = PQexec(pg->conn, sql);
	ExecStatusType got = PQresultStatus(res);
	bool is_good = got == PGRES_TUPLES_OK || got == PGRES_COMMAND_OK;

	if (valuep && is_good && PQntuples(res)) {
		const char *text = PQgetvalue(res, 0, 0);

		*valuep = *text == 't' ? 1 : strtoll(text, NULL, 10);
	}
	PQclear(res);

	return is_good;
}

static bool make_schema(const struct store_pg *pg, const char *schema,
			int32_t version)
{
	char *insert = xasprintf("INSERT INTO sipshare_schema VALUES (%d)",
				 (int)version);
	bool is_good = exec(pg, make_version, NULL) && exec(pg, insert, NULL) &&
		       exec(pg, schema, NULL) && exec(pg, "COMMIT", NULL);

	free(insert);

	return is_good;
}

/* An empty database gets the schema and its version; another must have both */
static int apply_schema(const struct store_pg *pg, const char *schema,
			char **reasonp)
{
	int32_t want = store_schema_version(schema);
	int64_t is_there = 0, have = 0;

	if (!exec(pg, begin, NULL) || !exec(pg, find_version, &is_there) ||
	    (is_there && !exec(pg, get_version, &have)) ||
	    (!is_there && !make_schema(pg, schema, want)))
		return explain(pg, EIO,
			       "give a database of its own to this element, "
			       "and a user who may make tables in it",
			       reasonp);

	if (is_there && have != want) {
		*reasonp = xasprintf("store %s: made by another element or "
				     "version (schema %#llx, not %#x); give "
				     "another database, or remove it to begin "
				     "anew",
				     pg->name, (unsigned long long)have,
				     (unsigned)want);
		return EINVAL;
	}
	if (is_there && !exec(pg, "COMMIT", NULL))
		return explain(pg, EIO, "start again", reasonp);

	return 0;
}

static char *make_app_name(void)
{
	uint64_t id = 0;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		abort();

	return xasprintf("sipshare-%016llx", (unsigned long long)id);
}

/** Connect, make the tables if there are none; see store_open_either() */
int store_pg_open(struct store_backend **bp, struct loop *loop,
		  const char *where, const char *schema, char **reasonp)
{
	struct store_pg *pg = xcalloc(1, sizeof(*pg));
	int err;

	pg->base.ops = &store_pg_ops;
	pg->loop = loop;
	pg->uri = xstrdup(where);
	pg->app = make_app_name();
	pg->base.session = pg->app;
	pg->retry = timer_new(loop, on_retry, pg);
	pg->bound = timer_new(loop, on_bound, pg);
	err = check_uri(pg, where, reasonp);
	if (!err)
		err = connect_first(pg, reasonp);
	if (!err)
		err = apply_schema(pg, schema, reasonp);
	if (err) {
		store_pg_ops.close(&pg->base, NULL);
	} else {
		set_up(pg);
		*bp = &pg->base;
	}

	return err;
}
