/* Random users, random faults: scenarios/random.lua with a seed each, two at a
 * time. RANDOM_RUNS and RANDOM_SEED say how many and from which seed on (10
 * from 1); the seed of one that fails is told, and fails again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

enum { AT_ONCE = 2, RUNS = 10, RUNS_MAX = 10000, TAIL = 3000 };

static const char sipshare[] = BUILD_DIR "/bin/sipshare";

static long setting(const char *name, long otherwise)
{
	const char *text = getenv(name);
	long value = text ? strtol(text, NULL, 10) : otherwise;

	return value > 0 && value <= RUNS_MAX ? value : otherwise;
}

static void start(struct proc *p, long seed)
{
	char *text = xasprintf("%ld", seed);

	proc_start(p, (const char *[]){ sipshare, "run", "--quiet",
					"--no-colour", "--timeout", "100",
					"--runs", temp_dir(), "--seed", text,
					"scenarios/random.lua", NULL });
	free(text);
}

static void expect_good(struct proc *p, long seed)
{
	int code = proc_wait_end(p, PATIENCE_MS);

	ck_assert_msg(!code,
		      "seed %ld, exit code %d; again: %s run --seed %ld "
		      "scenarios/random.lua\n%s",
		      seed, code, sipshare, seed,
		      p->len > TAIL ? p->text + p->len - TAIL : p->text);
	ck_assert_ptr_nonnull(strstr(p->text, "invariants I1–I6 hold"));
	free(p->text);
}

START_TEST(whatever_users_and_faults_come_the_invariants_hold)
{
	long seed = setting("RANDOM_SEED", 1) + (long)_i * AT_ONCE;
	struct proc procs[AT_ONCE];

	for (long i = 0; i < AT_ONCE; i++)
		start(&procs[i], seed + i);
	for (long i = 0; i < AT_ONCE; i++)
		expect_good(&procs[i], seed + i);
}
END_TEST

static Suite *random_suite(void)
{
	Suite *s = suite_create("random");
	TCase *tc = tcase_create("random faults");
	long runs = setting("RANDOM_RUNS", RUNS);

	printf("random: %ld runs from seed %ld on\n", runs,
	       setting("RANDOM_SEED", 1));
	tcase_set_timeout(tc, 150);
	tcase_add_loop_test(tc,
			    whatever_users_and_faults_come_the_invariants_hold,
			    0, (int)((runs + AT_ONCE - 1) / AT_ONCE));
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(random_suite)
