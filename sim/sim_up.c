#include "sim/sim_up.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/opt.h"
#include "sim/sim_invariant.h"
#include "sim/sim_net.h"

/** One thing after the other, once all are ready */
enum stage { OPEN_POOL, SYNC_POOL, OPEN_USERS, SHOW };

static void next(struct sim_up *up);

static void end(struct sim_up *up, int code, const char *reason)
{
	if (up->is_ending) {
		/* asked again: do not wait for the elements to drain */
		sim_bed_stop(up->bed);
		return;
	}
	up->is_ending = true;
	up->code = code;
	if (reason)
		(void)fprintf(stderr, "sipshare up: %s\n", reason);
	sim_bed_stop(up->bed);
}

/* A refused account is said, with the HSS's own word for it */
static void tell_refused(const struct sim_up *up, const json_t *result)
{
	const json_t *a;
	size_t i;

	json_array_foreach(json_object_get(result, "accounts"), i, a)
	{
		const char *status =
			json_string_value(json_object_get(a, "status"));

		/* a store that was kept has them from an earlier time */
		if (up->plan.store && status && !strcmp(status, "exists"))
			continue;
		if (status && strcmp(status, "opened") != 0)
			(void)fprintf(
				stderr,
				"sipshare up: account %s is not opened: "
				"%s\n",
				json_string_value(json_object_get(a, "uri")),
				status);
	}
}

static void on_answer(json_t *result, const char *error, void *arg)
{
	struct sim_up *up = arg;

	if (up->is_ending)
		return;
	if (error) {
		end(up, EXIT_START, error);
		return;
	}
	tell_refused(up, result);
	up->stage++;
	next(up);
}

static void tell_boss(struct sim_up *up, const char *cmd, json_t *args)
{
	if (sim_bed_call(up->bed, SIM_BOSS, cmd, args, on_answer, up))
		end(up, EXIT_START, "boss is gone");
}

static void open_pool(struct sim_up *up)
{
	char *first, *last, *reason;

	/* it was checked before anything was started */
	if (sim_range_split(up->cfg->pool, &first, &last, &reason)) {
		end(up, EXIT_USAGE, reason);
		free(reason);
		return;
	}
	tell_boss(up, "open_accounts",
		  json_pack("{s:s, s:s, s:s}", "first", first, "last", last,
			    "rule", "sip:{number}@" SIM_REALM));
	free(first);
	free(last);
}

static void next(struct sim_up *up)
{
	if (up->stage == OPEN_POOL && up->cfg->pool) {
		open_pool(up);
		return;
	}
	if (up->stage == SYNC_POOL && up->cfg->pool) {
		tell_boss(up, "sync", json_pack("{s:s}", "by", "message"));
		return;
	}
	if (up->stage <= OPEN_USERS && up->accounts) {
		up->stage = OPEN_USERS;
		tell_boss(up, "open_accounts",
			  json_pack("{s:s, s:b}", "file", up->accounts, "lend",
				    0));
		return;
	}
	up->stage = SHOW;
	up->is_up = true;
	sim_up_print(up);
}

static void on_ready(int64_t ready_us, void *arg)
{
	(void)ready_us;
	next(arg);
}

/* What no longer holds is said at once; the testbed stays up to be looked at */
static void on_trace(void *arg)
{
	struct sim_up *up = arg;
	const struct sim_invariants *inv = sim_bed_invariants(up->bed);

	for (; up->breach_n < sim_invariants_count(inv); up->breach_n++) {
		const struct sim_breach *b =
			sim_invariants_breach(inv, up->breach_n);

		(void)fprintf(stderr,
			      "sipshare up: the invariant I%d does not hold: "
			      "%s\n",
			      b->number, b->text);
	}
}

static void on_failed(const char *reason, void *arg)
{
	struct sim_up *up = arg;

	if (up->is_ending) {
		(void)fprintf(stderr, "sipshare up: %s\n", reason);
		if (up->code == EXIT_PASS)
			up->code = EXIT_FAIL;
		return;
	}
	end(up, up->is_up ? EXIT_FAIL : EXIT_START, reason);
}

static void on_stopped(void *arg)
{
	const struct sim_up *up = arg;

	loop_stop(up->loop);
}

static const struct sim_bed_ops bed_ops = { .ready = on_ready,
					    .trace = on_trace,
					    .failed = on_failed,
					    .stopped = on_stopped };

static void on_signal(void *arg)
{
	end(arg, EXIT_PASS, NULL);
}

static int start(struct sim_up *up, char **reasonp)
{
	struct sim_bed_cfg cfg = { .loop = up->loop, .plan = &up->plan };
	int err;

	err = up->cfg->host ? sim_net_at_host(&cfg.net, up->cfg->host,
					      up->cfg->port_base, reasonp)
			    : sim_net_take(&cfg.net, reasonp);
	if (err)
		return err;

	err = sim_folder_open(&up->folder, up->cfg->runs, "up", reasonp);
	if (!err && up->cfg->users)
		err = sim_up_accounts(up, reasonp);
	if (err) {
		sim_net_free(cfg.net);
		return err;
	}
	cfg.dir = up->folder.path;

	return sim_bed_new(&up->bed, &cfg, &bed_ops, up, reasonp);
}

static int run(struct sim_up *up)
{
	struct loop_watch *sigint, *sigterm;
	char *reason = NULL;

	(void)signal(SIGPIPE, SIG_IGN);
	up->loop = loop_new();
	sigint = loop_watch_signal(up->loop, SIGINT, on_signal, up);
	sigterm = loop_watch_signal(up->loop, SIGTERM, on_signal, up);
	if (start(up, &reason)) {
		(void)fprintf(stderr, "sipshare up: %s\n", reason);
		free(reason);
		up->code = EXIT_START;
	} else {
		(void)loop_run(up->loop);
	}
	if (up->breach_n && up->code == EXIT_PASS)
		up->code = EXIT_FAIL;
	loop_unwatch(sigint);
	loop_unwatch(sigterm);
	sim_bed_free(up->bed);
	sim_folder_close(&up->folder);
	loop_free(up->loop);

	return up->code;
}

static int range_count(const char *option, const char *range, int *countp)
{
	char *first, *last, *reason;

	if (!range)
		return EXIT_PASS;
	if (sim_range_split(range, &first, &last, &reason)) {
		(void)fprintf(stderr, "sipshare up: %s %s\n", option, reason);
		free(reason);
		return EXIT_USAGE;
	}
	*countp = (int)(strtoull(last + (*last == '+'), NULL, 10) -
			strtoull(first + (*first == '+'), NULL, 10) + 1);
	free(first);
	free(last);

	return EXIT_PASS;
}

/* Everything that the command line says is checked before a start */
static int check(struct sim_up *up, const struct opt_list *logins)
{
	const char *policy = up->cfg->policy;

	if (policy && strcmp(policy, "round-robin") != 0 &&
	    strcmp(policy, "idle-queue") != 0) {
		(void)fprintf(stderr,
			      "sipshare up: --policy %s: must be "
			      "round-robin or idle-queue\n",
			      policy);
		return EXIT_USAGE;
	}
	if (up->cfg->port_base != SIM_PORT_BASE && !up->cfg->host) {
		(void)fputs("sipshare up: --port-base goes with --host\n",
			    stderr);
		return EXIT_USAGE;
	}
	for (int i = 0; i < logins->n; i++) {
		const char *eq = strchr(logins->v[i], '=');
		char *number;

		if (!eq || eq == logins->v[i] || !eq[1] ||
		    strpbrk(logins->v[i], " \t\n")) {
			(void)fprintf(stderr,
				      "sipshare up: --login %s: must "
				      "be NUMBER=SECRET\n",
				      logins->v[i]);
			return EXIT_USAGE;
		}
		if (!up->plan.users)
			up->plan.users = json_object();
		number = xstrndup(logins->v[i], (size_t)(eq - logins->v[i]));
		json_object_set_new(up->plan.users, number,
				    json_string(eq + 1));
		free(number);
	}
	if (range_count("--users", up->cfg->users, &up->user_n) ||
	    range_count("--pool", up->cfg->pool, &up->pool_n))
		return EXIT_USAGE;
	if (policy)
		up->plan.policy = xstrdup(policy);
	if (strcmp(up->cfg->store, "memory") != 0)
		up->plan.store = xstrdup(up->cfg->store);

	return EXIT_PASS;
}

static const char usage[] =
	"usage: sipshare up [OPTIONS]\n\n"
	"Keeps the testbed up for real clients until Ctrl-C, and prints where "
	"each element\nlistens. Without --host it has a loopback network of "
	"its own (127.N.0.0/16). With\n--host all share one address: pcscf "
	"5060, icscf 5061, scscf 5062, appserver 5063\n(SIP) and 8444 (HTTPS), "
	"platform 5064 and 8445, terminal 5065, hss 3868 and 8443.";

/** `sipshare up`: EXIT_PASS when ended by Ctrl-C or SIGTERM; EXIT_FAIL when an
 * element died or an invariant did not hold; EXIT_START or EXIT_USAGE when it
 * never was up */
int sim_up(int argc, char **argv)
{
	struct sim_up_cfg cfg = { .store = "memory",
				  .runs = "runs",
				  .port_base = SIM_PORT_BASE };
	struct sim_up up = { .cfg = &cfg, .folder = { NULL, -1 } };
	struct opt_list logins = { .n = 0 };
	const struct opt opts[] = {
		{ OPT_STRING, "host", "ADDR", "one address for all elements",
		  &cfg.host, NULL, 0, 0 },
		{ OPT_INT, "port-base", "N",
		  "the P-CSCF's port (5060); the others move along",
		  &cfg.port_base, NULL, 1, 65535 },
		{ OPT_STRING, "users", "FIRST-LAST",
		  "numbers that get an IMS account, not to be lent", &cfg.users,
		  NULL, 0, 0 },
		{ OPT_STRING, "pool", "FIRST-LAST",
		  "numbers whose SIP-URIs the platform lends", &cfg.pool, NULL,
		  0, 0 },
		{ OPT_LIST, "login", "NUMBER=SECRET",
		  "a real number that may log in at the AS; may be repeated",
		  &logins, NULL, 0, 0 },
		{ OPT_STRING, "store", "memory|DIR",
		  "where accounts, leases and bindings are kept (memory)",
		  &cfg.store, NULL, 0, 0 },
		{ OPT_STRING, "policy", "NAME", "round-robin or idle-queue",
		  &cfg.policy, NULL, 0, 0 },
		{ OPT_STRING, "runs", "DIR",
		  "where the folder up/ is made (runs)", &cfg.runs, NULL, 0,
		  0 },
		{ OPT_FLAG, "json", NULL, "one line of JSON, for scripts",
		  &cfg.is_json, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	const struct opt *tables[] = { opts, NULL };
	enum opt_result read = opt_parse(tables, usage, &argc, argv);
	int code;

	if (read != OPT_OK)
		return read == OPT_HELP ? EXIT_PASS : EXIT_USAGE;
	if (argc > 1) {
		(void)fprintf(stderr,
			      "%s: \"%s\" is not expected here; see "
			      "--help\n",
			      argv[0], argv[1]);
		return EXIT_USAGE;
	}

	code = check(&up, &logins);
	if (!code)
		code = run(&up);
	sim_plan_clear(&up.plan);
	free(up.accounts);

	return code;
}
