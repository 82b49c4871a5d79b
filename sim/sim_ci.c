#include "sim/sim_ci.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sim/sim_replace.h"

/** Owned by the command */
struct sim_ci {
	struct sim_ci_cfg cfg;
	struct sim_results results;
	size_t told; /**< suites */
	struct sim_replace *junit;
	FILE *tap;
};

/* stdout becomes TAP's; all who print go to stderr without knowing it */
static FILE *take_stdout(void)
{
	int fd;

	(void)fflush(stdout);
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return NULL;

	return fdopen(fd, "w");
}

int sim_ci_open(struct sim_ci **cip, const struct sim_ci_cfg *cfg,
		size_t scenarios, char **reasonp)
{
	struct sim_ci *ci = xcalloc(1, sizeof(*ci));
	int err = 0;

	ci->cfg = *cfg;
	if (cfg->junit)
		err = sim_replace_open(&ci->junit, cfg->junit, reasonp);
	if (!err && cfg->is_tap) {
		ci->tap = take_stdout();
		err = ci->tap ? 0 : errno;
		if (err)
			*reasonp = xasprintf("cannot print TAP: %s",
					     strerror(err));
	}
	if (err) {
		sim_replace_abort(ci->junit);
		free(ci);
		return err;
	}
	if (ci->tap)
		sim_tap_begin(scenarios, ci->tap);
	*cip = ci;

	return 0;
}

struct sim_results *sim_ci_results(struct sim_ci *ci)
{
	return &ci->results;
}

void sim_ci_skip(struct sim_ci *ci, const char *file, bool is_error,
		 const char *why)
{
	struct sim_suite *suite = sim_results_add(&ci->results, file);
	struct sim_case *c = sim_suite_add(
		suite, is_error ? SIM_BROKEN : SIM_SKIPPED, "scenario");

	c->message = xstrdup(why);
}

void sim_ci_tell(struct sim_ci *ci)
{
	for (; ci->told < ci->results.n; ci->told++) {
		const struct sim_suite *suite = &ci->results.suites[ci->told];

		if (ci->tap)
			sim_tap_suite(suite, ci->told + 1, ci->tap);
		if (ci->cfg.is_annotated)
			sim_annotate(suite, stdout);
	}
}

static int write_junit(struct sim_ci *ci, char **reasonp)
{
	int err = sim_junit_write(ci->results.suites, ci->results.n,
				  sim_replace_file(ci->junit));

	if (!err)
		return sim_replace_commit(ci->junit, reasonp);

	*reasonp =
		xasprintf("cannot write %s: %s", ci->cfg.junit, strerror(err));
	sim_replace_abort(ci->junit);

	return err;
}

int sim_ci_close(struct sim_ci *ci, char **reasonp)
{
	int err = ci->junit ? write_junit(ci, reasonp) : 0;

	if (ci->tap && fclose(ci->tap) && !err) {
		err = errno;
		*reasonp = xasprintf("cannot print TAP: %s", strerror(err));
	}
	sim_results_clear(&ci->results);
	free(ci);

	return err;
}
