#include "tests/fake/fake_pg.h"

#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <libpq-fe.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/patience.h"

enum { ARGS_MAX = 40 };

struct fake_pg {
	char dir[48];
	char *bin; /* the package's folder */
	char *uri;
	struct proc server;
};

/* PostgreSQL refuses to run as root: then as nobody. And it ends when we do,
 * however that comes. */
static void start(struct proc *p, const char *const *args)
{
	static const char *const as_nobody[] = { "--reuid=nobody",
						 "--regid=nogroup",
						 "--clear-groups", NULL };
	const char *argv[ARGS_MAX] = { "setpriv", "--pdeathsig=QUIT" };
	int n = 2;

	for (int i = 0; geteuid() == 0 && as_nobody[i]; i++)
		argv[n++] = as_nobody[i];
	argv[n++] = "--";
	for (int i = 0; args[i]; i++) {
		ck_assert_int_lt(n, ARGS_MAX - 1);
		argv[n++] = args[i];
	}
	argv[n] = NULL;
	proc_start(p, argv);
}

static char *find_bin(void)
{
	glob_t found = { 0 };
	char *path;

	ck_assert_msg(
		!glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found),
		"no PostgreSQL server here: apt-get install postgresql");
	path = xstrdup(found.gl_pathv[found.gl_pathc - 1]);
	*strrchr(path, '/') = '\0';
	globfree(&found);

	return path;
}

static void make_dir(struct fake_pg *pg)
{
	const struct passwd *nobody = getpwnam("nobody");

	strcpy(pg->dir, "/tmp/sipshare-pg-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(pg->dir));
	ck_assert_ptr_nonnull(nobody);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(pg->dir, nobody->pw_uid, nobody->pw_gid),
				 0);
}

static void make_cluster(const struct fake_pg *pg)
{
	char *initdb = xasprintf("%s/initdb", pg->bin);
	char *data = xasprintf("%s/data", pg->dir);
	const char *const args[] = {
		initdb,  "-D",   data,         "-A",
		"trust", "-U",   "sipshare",   "--no-sync",
		"-E",    "UTF8", "--locale=C", "--no-instructions",
		NULL
	};
	struct proc p;
	int code;

	start(&p, args);
	code = proc_wait_end(&p, PATIENCE_MS);
	ck_assert_msg(code == 0, "initdb: exit %d:\n%s", code, p.text);
	free(p.text);
	free(initdb);
	free(data);
}

static void start_server(struct fake_pg *pg)
{
	char *postgres = xasprintf("%s/postgres", pg->bin);
	char *data = xasprintf("%s/data", pg->dir);
	const char *const args[] = { postgres,
				     "-D",
				     data,
				     "-k",
				     pg->dir,
				     "-c",
				     "listen_addresses=",
				     "-c",
				     "shared_buffers=32MB",
				     "-c",
				     "max_connections=20",
				     NULL };

	start(&pg->server, args);
	ck_assert_msg(
		proc_wait_text(&pg->server, "ready to accept", PATIENCE_MS),
		"postgres is not ready:\n%s", pg->server.text);
	free(postgres);
	free(data);
}

/** Make a cluster and start its server; ends the test if that fails */
struct fake_pg *fake_pg_start(void)
{
	struct fake_pg *pg = xcalloc(1, sizeof(*pg));

	pg->bin = find_bin();
	make_dir(pg);
	make_cluster(pg);
	pg->uri = xasprintf("postgresql://sipshare@/postgres?host=%s", pg->dir);
	start_server(pg);

	return pg;
}

static void end_server(struct fake_pg *pg, int signo)
{
	(void)proc_stop(&pg->server, signo);
	free(pg->server.text);
	pg->server.text = NULL;
}

/** Stop the server and remove its folder; gives NULL */
struct fake_pg *fake_pg_stop(struct fake_pg *pg)
{
	const char *const args[] = { "rm", "-rf", pg->dir, NULL };
	struct proc p;

	if (pg->server.text)
		end_server(pg, SIGINT); /* fast: sessions are ended */
	proc_start(&p, args);
	(void)proc_wait_end(&p, PATIENCE_MS);
	free(p.text);
	free(pg->bin);
	free(pg->uri);
	free(pg);

	return NULL;
}

/** What to give as --store */
const char *fake_pg_uri(const struct fake_pg *pg)
{
	return pg->uri;
}

static PGresult *run(PGconn *conn, const char *sql)
{
	PGresult *res = PQexec(conn, sql);
	ExecStatusType got = PQresultStatus(res);

	ck_assert_msg(got == PGRES_COMMAND_OK || got == PGRES_TUPLES_OK,
		      "%s: %s", sql, PQerrorMessage(conn));

	return res;
}

/** Run SQL on a connection of its own */
void fake_pg_exec(const struct fake_pg *pg, const char *sql)
{
	PGconn *conn = PQconnectdb(pg->uri);

	PQclear(run(conn, sql));
	PQfinish(conn);
}

/** The number that a query gives */
long fake_pg_get(const struct fake_pg *pg, const char *sql)
{
	PGconn *conn = PQconnectdb(pg->uri);
	PGresult *res = run(conn, sql);
	long n = PQntuples(res) ? strtol(PQgetvalue(res, 0, 0), NULL, 10) : 0;

	PQclear(res);
	PQfinish(conn);

	return n;
}

/** Nothing in it, and nobody left in it: as a new database */
void fake_pg_empty(const struct fake_pg *pg)
{
	fake_pg_exec(pg, "SELECT pg_terminate_backend(pid, 5000)"
			 " FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
			 " AND backend_type = 'client backend'");
	fake_pg_exec(pg, "SET client_min_messages = error;"
			 "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

/** The server dies at once, with all its sessions: SIGQUIT, as kill -9 leaves
 * shared memory behind */
void fake_pg_crash(struct fake_pg *pg)
{
	end_server(pg, SIGQUIT);
}

/** The server comes back, and recovers */
void fake_pg_restart(struct fake_pg *pg)
{
	start_server(pg);
}
