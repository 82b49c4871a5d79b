#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/statvfs.h>

#include "common/element.h"
#include "common/mem.h"
#include "common/opt.h"
#include "sim/sim_net.h"
#include "sim/sim_packets.h"
#include "sim/sim_super.h"

enum { FREE_MB_MIN = 50 };

/** A program that something asks for */
struct tool {
	const char *program;
	const char *package; /* Debian 12's */
	const char *what_for;
};

static const struct tool tools[] = {
	{ "tshark", "tshark", "tests that dissect capture.pcapng" },
	{ "sipp", "sip-tester", "tests with a foreign SIP client" },
	{ "curl", "curl", "tests with a foreign HTTPS client" },
	{ "clang-format", "clang-format", "make lint" },
	{ "clang-tidy", "clang-tidy", "make lint" },
	{ "cppcheck", "cppcheck", "make lint" },
};

static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH");
	char *copy = xstrdup(path ? path : "/usr/bin:/bin"), *save = NULL;
	bool found = false;

	for (const char *d = strtok_r(copy, ":", &save); d && !found;
	     d = strtok_r(NULL, ":", &save)) {
		char *full = xasprintf("%s/%s", d, program);

		found = access(full, X_OK) == 0;
		free(full);
	}
	free(copy);

	return found;
}

static bool check_programs(void)
{
	char *bin = sim_bin_dir();
	bool good = true;

	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		const char *name = sim_actor_program((enum sim_actor)i);
		char *path = xasprintf("%s/%s", bin, name);

		if (access(path, X_OK) < 0) {
			printf("MISSING  %s: run make\n", path);
			good = false;
		}
		free(path);
	}
	if (good)
		printf("ok       all elements are built in %s\n", bin);
	free(bin);

	return good;
}

static bool check_network(void)
{
	struct sim_net *net;
	char *reason = NULL;

	if (sim_net_take(&net, &reason)) {
		printf("MISSING  %s\n", reason);
		free(reason);
		return false;
	}
	printf("ok       loopback network 127.%d.0.0/16 is free\n",
	       sim_net_number(net));
	sim_net_free(net);

	return true;
}

static bool check_folder(void)
{
	struct statvfs fs;
	unsigned long mb;

	if (access(".", W_OK) < 0 || statvfs(".", &fs) < 0) {
		puts("MISSING  this folder cannot be written: go to one that "
		     "can, or use --runs");
		return false;
	}
	mb = fs.f_bavail * (fs.f_frsize / 1024) / 1024;
	if (mb < FREE_MB_MIN) {
		printf("MISSING  %lu MB are left on this disk, a run may take "
		       "%d MB: make room, or use --runs\n",
		       mb, FREE_MB_MIN);
		return false;
	}
	printf("ok       runs/ can be written here, %lu MB are left\n", mb);

	return true;
}

static void check_capture(void)
{
	char *reason = NULL;

	if (!sim_packets_check(&reason))
		puts("ok       packets can be captured");
	else
		printf("optional sipshare run --capture wire: %s\n", reason);
	free(reason);
}

static void check_tools(void)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		const struct tool *t = &tools[i];

		if (is_in_path(t->program))
			printf("ok       %s\n", t->program);
		else
			printf("optional %s is for %s: apt-get install %s\n",
			       t->program, t->what_for, t->package);
	}
}

/** `sipshare doctor`: EXIT_PASS if runs are possible, else EXIT_FAIL */
int sim_doctor(int argc, char **argv)
{
	const struct opt opts[] = { { .type = OPT_END } };
	const struct opt *tables[] = { opts, NULL };
	enum opt_result read =
		opt_parse(tables,
			  "usage: sipshare doctor\n\nSays what is missing on "
			  "this machine, and how to get it.",
			  &argc, argv);
	bool good;

	if (read != OPT_OK)
		return read == OPT_HELP ? EXIT_PASS : EXIT_USAGE;

	good = check_programs();
	good = check_network() && good;
	good = check_folder() && good;
	check_capture();
	check_tools();
	puts(good ? "Runs are possible." : "Runs are not possible yet.");

	return good ? EXIT_PASS : EXIT_FAIL;
}
