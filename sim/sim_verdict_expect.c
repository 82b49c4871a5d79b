#include "sim/sim_verdict_expect.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_steps.h"
#include "sim/sim_verdict.h"

static const char known[] = "the steps are S401 to S414, S501 to S521, S101 "
			    "to S103, S201 to S203, S301 to S304";

/** What is read, and what has been read of it */
struct expect {
	const char *text;
	char **refs;
	size_t n;
	char **reasonp;
};

static int refuse(const struct expect *ex, const char *at, char *why)
{
	*ex->reasonp = xasprintf("expected steps \"%s\", character %zu: %s",
				 ex->text, (size_t)(at - ex->text) + 1, why);
	free(why);

	return EINVAL;
}

static void add(struct expect *ex, const char *ref, size_t len)
{
	for (size_t i = 0; i < ex->n; i++) {
		if (strlen(ex->refs[i]) == len &&
		    !memcmp(ex->refs[i], ref, len))
			return;
	}
	ex->refs = xrealloc(ex->refs, (ex->n + 1) * sizeof(char *));
	ex->refs[ex->n++] = xstrndup(ref, len);
}

static int add_one(struct expect *ex, const char *at, size_t len)
{
	if (!sim_steps_find(at, len))
		return refuse(ex, at,
			      xasprintf("\"%.*s\" is no step; %s", (int)len, at,
					known));
	add(ex, at, len);

	return 0;
}

/* "S" and three digits, or -1 */
static int number(const char *p, size_t len)
{
	if (len != 4 || p[0] != 'S' || !isdigit((unsigned char)p[1]) ||
	    !isdigit((unsigned char)p[2]) || !isdigit((unsigned char)p[3]))
		return -1;

	return (p[1] - '0') * 100 + (p[2] - '0') * 10 + p[3] - '0';
}

static int add_range(struct expect *ex, const char *at, size_t len,
		     const char *dots)
{
	size_t left = (size_t)(dots - at);
	int first = number(at, left);
	int last = number(dots + 2, len - left - 2);

	if (first < 0 || last < 0)
		return refuse(ex, at,
			      xasprintf("\"%.*s\" is no range; write it like "
					"S401..S414",
					(int)len, at));
	if (first > last)
		return refuse(
			ex, at,
			xasprintf("\"%.*s\" runs backwards", (int)len, at));

	for (int i = first; i <= last; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "S%03d", i);
		if (!sim_steps_find(id, 4))
			return refuse(ex, at,
				      xasprintf("\"%.*s\" holds %s, which is "
						"no step; %s",
						(int)len, at, id, known));
		add(ex, id, 4);
	}

	return 0;
}

static int add_token(struct expect *ex, const char *at, size_t len)
{
	const char *dots = memmem(at, len, "..", 2);

	return dots ? add_range(ex, at, len, dots) : add_one(ex, at, len);
}

/** refsp gets n strings, in the order written, each once; all the caller's */
int sim_expect_parse(char ***refsp, size_t *np, const char *expect,
		     char **reasonp)
{
	static const char separators[] = ", \t\r\n";
	struct expect ex = { .text = expect, .reasonp = reasonp };
	const char *at = expect + strspn(expect, separators);
	int err = 0;

	while (!err && *at) {
		size_t len = strcspn(at, separators);

		err = add_token(&ex, at, len);
		at += len;
		at += strspn(at, separators);
	}
	if (!err && !ex.n)
		err = refuse(&ex, at, xasprintf("no step is named; %s", known));
	if (err) {
		sim_expect_free(ex.refs, ex.n);
		return err;
	}

	*refsp = ex.refs;
	*np = ex.n;

	return 0;
}

void sim_expect_free(char **refs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(refs[i]);
	free((void *)refs);
}

int sim_verdict_check(const char *expect, char **reasonp)
{
	char **refs;
	size_t n;
	int err = sim_expect_parse(&refs, &n, expect, reasonp);

	if (!err)
		sim_expect_free(refs, n);

	return err;
}
