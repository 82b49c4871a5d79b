#include "common/element.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conduct.h"
#include "common/halt.h"
#include "common/hold.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/opt.h"
#include "common/timer.h"
#include "common/tls_secrets.h"
#include "common/trace.h"

/** What only a process's own element has; el is first, so that it converts */
struct process {
	struct element el;
	struct loop_watch *sigterm, *sigint;
	struct timer *drain;
	struct halt *halt;       /* NULL: no runner */
	struct conduct *conduct; /* the same */
	void (*on_term)(void *arg);
	void *term_arg;
	bool owns_loop, is_draining;
};

static void stop_now(void *arg)
{
	struct process *p = arg;

	loop_stop(p->el.loop);
}

static void on_term(void *arg)
{
	struct process *p = arg;

	if (p->is_draining)
		return;

	p->is_draining = true;
	/* what is left takes its time, whoever was to move the clock */
	if (p->conduct)
		conduct_end(p->conduct);
	if (!p->on_term) {
		loop_stop(p->el.loop);
		return;
	}
	timer_start_ms(p->drain, timer_value_ms(TIMER_DRAIN));
	p->on_term(p->term_arg);
}

static void cmd_ping(struct ctl_req *req, json_t *args, void *arg)
{
	(void)args;
	(void)arg;
	ctl_ok(req, NULL);
}

static void cmd_hold(struct ctl_req *req, json_t *args, void *arg)
{
	const struct process *p = arg;

	(void)args;
	hold_start(p->el.hold);
	ctl_ok(req, NULL);
}

static void cmd_unhold(struct ctl_req *req, json_t *args, void *arg)
{
	const struct process *p = arg;

	(void)args;
	hold_stop(p->el.hold);
	ctl_ok(req, NULL);
}

static void cmd_release_held(struct ctl_req *req, json_t *args, void *arg)
{
	json_int_t number = json_integer_value(json_object_get(args, "number"));
	const struct process *p = arg;

	if (hold_release(p->el.hold, (unsigned)number))
		ctl_fail(req, "%s: no message %d is held", p->el.name,
			 (int)number);
	else
		ctl_ok(req, NULL);
}

static void cmd_drop_held(struct ctl_req *req, json_t *args, void *arg)
{
	json_int_t number = json_integer_value(json_object_get(args, "number"));
	const struct process *p = arg;

	if (hold_drop(p->el.hold, (unsigned)number))
		ctl_fail(req, "%s: no message %d is held", p->el.name,
			 (int)number);
	else
		ctl_ok(req, NULL);
}

static void cmd_halt_at(struct ctl_req *req, json_t *args, void *arg)
{
	const struct process *p = arg;

	if (halt_at(p->halt, args))
		ctl_fail(req,
			 "%s: halt-at needs {\"event\": name, \"fields\": {…}, "
			 "\"count\": from 1}",
			 p->el.name);
	else
		ctl_ok(req, NULL);
}

static const struct ctl_cmd common_cmds[] = {
	{ "ping", cmd_ping },
	{ "hold", cmd_hold },
	{ "unhold", cmd_unhold },
	{ "release-held", cmd_release_held },
	{ "drop-held", cmd_drop_held },
	{ "halt-at", cmd_halt_at },
	{ NULL, NULL },
};

/** What the command line of every process gives */
struct common_cfg {
	const char *name, *log, *log_level, *trace, *tls_secrets, *conducted;
	int ctl_fd;
};

static const char *on_timer_option(const char *value)
{
	const char *reason = NULL;

	return timer_override(value, &reason) ? reason : NULL;
}

static void print_timers(void)
{
	printf("\nTimers, for --timer:\n");
	for (int i = 1; i < TIMER_COUNT; i++) {
		const struct timer_name *n = timer_name_get((enum timer_id)i);
		int64_t unit_ms = strcmp(n->unit, "s") ? 1 : 1000;

		printf("  %-24s %s (%lld%s; %s)\n", n->name, n->text,
		       (long long)(n->default_ms / unit_ms), n->unit,
		       n->clause);
	}
}

/* Said in the log, so that nobody reveals them without knowing */
static int open_secrets(struct process *p, const char *path)
{
	char *reason = NULL;
	int err;

	if (!path)
		return 0;

	if (tls_secrets_open(&p->el.tls_secrets, path, &reason)) {
		err = element_fail_start(&p->el, "--reveal-tls-secrets %s: %s",
					 path, reason);
		free(reason);
		return err;
	}
	log_info("%s reveals the keys of its TLS connections in %s", p->el.name,
		 path);

	return 0;
}

static int open_files(struct process *p, const struct common_cfg *cfg)
{
	int err = 0;

	if (cfg->log)
		err = log_open(cfg->log);
	if (err)
		return element_fail_start(&p->el, "--log %s: %s", cfg->log,
					  strerror(err));
	if (cfg->log_level && log_set_level(cfg->log_level))
		return element_fail_start(&p->el,
					  "--log-level %s: not error, warn, "
					  "info or debug",
					  cfg->log_level);
	if (cfg->trace)
		err = trace_open(p->el.trace, cfg->trace);
	if (err)
		return element_fail_start(&p->el, "--trace %s: %s", cfg->trace,
					  strerror(err));

	return open_secrets(p, cfg->tls_secrets);
}

static void to_channel(const char *line, size_t len, void *arg)
{
	ctl_tx_line(arg, "trace", line, len);
}

static struct process *new_process(struct loop *loop, const char *name)
{
	struct process *p = xcalloc(1, sizeof(*p));

	p->el.name = name;
	p->el.loop = loop;
	p->el.trace = trace_new(name);
	p->el.hold = hold_new(p->el.trace);
	p->drain = timer_new(loop, stop_now, p);

	return p;
}

/* conducted: the time that it is, or NULL */
static void wire_process(struct process *p, int ctl_fd, const char *conducted)
{
	signal(SIGPIPE, SIG_IGN);
	p->sigterm = loop_watch_signal(p->el.loop, SIGTERM, on_term, p);
	p->sigint = loop_watch_signal(p->el.loop, SIGINT, on_term, p);
	if (ctl_fd < 0)
		return;

	p->el.ctl = ctl_new(p->el.loop, ctl_fd);
	trace_set_sink(p->el.trace, to_channel, p->el.ctl);
	ctl_on_end(p->el.ctl, on_term, p);
	p->halt = halt_new(p->el.trace, p->el.ctl);
	ctl_add_commands(p->el.ctl, common_cmds, p);
	p->conduct = conduct_new(p->el.loop, p->el.ctl, p->el.hold);
	if (conducted)
		conduct_begin_at(p->conduct, strtoll(conducted, NULL, 10));
}

/**
 * Read the command line and make the process's element
 *
 * @param name  Actor's name unless --name gives another, static
 * @param usage First lines of --help
 * @param opts  The role's own options
 *
 * @return 0; otherwise the exit code plus one (so 1 after --help): everything
 *         was said on stdout or stderr
 */
int element_new(struct element **elp, const char *name, const char *usage,
		const struct opt *opts, int *argcp, char **argv)
{
	struct common_cfg cfg = { .name = name, .ctl_fd = -1 };
	const struct opt common[] = {
		{ OPT_STRING, "name", "NAME",
		  "in log and trace, where there are several of a kind",
		  &cfg.name, NULL, 0, 0 },
		{ OPT_STRING, "log", "FILE", "append the log to a file",
		  &cfg.log, NULL, 0, 0 },
		{ OPT_STRING, "log-level", "LEVEL",
		  "error, warn, info (default) or debug", &cfg.log_level, NULL,
		  0, 0 },
		{ OPT_STRING, "trace", "FILE",
		  "append every message and decision as JSON lines", &cfg.trace,
		  NULL, 0, 0 },
		{ OPT_CALL, "timer", "NAME=VALUE",
		  "set a timer: one of those below, as 30s or 500ms", NULL,
		  on_timer_option, 0, 0 },
		{ OPT_STRING, "reveal-tls-secrets", "FILE",
		  "append the keys of its TLS connections to a file that "
		  "Wireshark reads",
		  &cfg.tls_secrets, NULL, 0, 0 },
		{ OPT_INT, "ctl-fd", "N", "control channel, from the runner",
		  &cfg.ctl_fd, NULL, 0, 65535 },
		{ OPT_STRING, "conducted", "US",
		  "the runner owns the clock, which stands at this",
		  &cfg.conducted, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	const struct opt *tables[] = { opts, common, NULL };
	enum opt_result read = opt_parse(tables, usage, argcp, argv);
	struct process *p;

	if (read == OPT_HELP)
		print_timers();
	if (read != OPT_OK)
		return 1 + (read == OPT_HELP ? EXIT_PASS : EXIT_USAGE);
	if (*argcp > 1) {
		fprintf(stderr, "%s: \"%s\" is no option; see --help\n", name,
			argv[1]);
		return 1 + EXIT_USAGE;
	}

	p = new_process(loop_new(), cfg.name);
	p->owns_loop = true;
	if (open_files(p, &cfg)) {
		element_free(&p->el);
		return 1 + EXIT_USAGE;
	}
	wire_process(p, cfg.ctl_fd, cfg.conducted);
	*elp = &p->el;

	return 0;
}

/** For tests: an element that shares a loop; name is static */
struct element *element_new_on(struct loop *loop, const char *name)
{
	return &new_process(loop, name)->el;
}

/** Free; the roles made on it must be gone */
struct element *element_free(struct element *el)
{
	struct process *p = (struct process *)el;

	if (!p)
		return NULL;

	halt_free(p->halt);
	conduct_free(p->conduct);
	hold_free(el->hold);
	trace_set_sink(el->trace, NULL, NULL);
	ctl_free(el->ctl);
	trace_free(el->trace);
	tls_secrets_free(el->tls_secrets);
	loop_unwatch(p->sigterm);
	loop_unwatch(p->sigint);
	timer_free(p->drain);
	if (p->owns_loop) {
		loop_free(el->loop);
		log_close();
	}
	free(p);

	return NULL;
}

/** Take the role's control commands; the table is borrowed */
void element_commands(struct element *el, const struct ctl_cmd *cmds, void *arg)
{
	if (el->ctl)
		ctl_add_commands(el->ctl, cmds, arg);
}

/**
 * The element listens: say where, to the runner, or on stdout by hand
 *
 * @param addresses {"sip":"127.0.0.1:5060",…}, stolen
 */
void element_ready(struct element *el, json_t *addresses)
{
	char *text = json_dumps(addresses, JSON_COMPACT);

	log_info("%s ready %s", el->name, text);
	trace_event(el->trace, "ready", json_incref(addresses));
	if (el->ctl) {
		ctl_tx(el->ctl, json_pack("{s:O}", "ready", addresses));
	} else if (((struct process *)el)->owns_loop) {
		printf("%s ready %s\n", el->name, text);
		fflush(stdout);
	}
	free(text);
	json_decref(addresses);
}

/** Who drains on SIGTERM, SIGINT or the channel's end, then calls
 * element_stop(); after TIMER_DRAIN it stops all the same */
void element_on_term(struct element *el, void (*cb)(void *arg), void *arg)
{
	struct process *p = (struct process *)el;

	p->on_term = cb;
	p->term_arg = arg;
}

/** End element_run() at the end of this turn */
void element_stop(struct element *el)
{
	loop_stop(el->loop);
}

/** Run until SIGTERM, SIGINT or the end of the channel; gives EXIT_PASS */
int element_run(struct element *el)
{
	(void)loop_run(el->loop);
	log_info("%s ends", el->name);

	return EXIT_PASS;
}

/**
 * Say why the element cannot start: to stderr, the log and the runner
 *
 * @return EXIT_START
 */
int element_fail_start(const struct element *el, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s: %s\n", el->name, text);
	log_error("%s: %s", el->name, text);
	if (el->ctl)
		ctl_tx(el->ctl, json_pack("{s:s}", "failed", text));
	free(text);

	return EXIT_START;
}
