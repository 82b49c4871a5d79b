#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "sim/sim_bed.h"
#include "sim/sim_label.h"
#include "sim/sim_net.h"
#include "sim/sim_packets.h"
#include "sim/sim_pcapng.h"
#include "sim/sim_run.h"

static bool is_wire(const char *what)
{
	return what && !strcmp(what, "wire");
}

/** Is that a kind of capture, and allowed? If not, cmd ("sipshare run") says
 * so */
bool sim_run_can_capture(const char *cmd, const char *what)
{
	char *reason;

	if (!what || !strcmp(what, "messages"))
		return true;

	if (!is_wire(what)) {
		(void)fprintf(stderr,
			      "%s: --capture %s: must be messages or wire\n",
			      cmd, what);
		return false;
	}
	if (!sim_packets_check(&reason))
		return true;

	(void)fprintf(stderr, "%s: --capture wire: %s\n", cmd, reason);
	free(reason);

	return false;
}

/* The elements write it, the run takes it into capture.pcapng */
static char *keys_file(const struct sim_run *run)
{
	return xasprintf("%s/tls-secrets", run->folder.path);
}

/**
 * Capture as --capture says, before any element is started
 *
 * @return 0, or why not: then reasonp says it
 */
int sim_run_start_capture(struct sim_run *run, struct sim_plan *plan,
			  const struct sim_net *net, char **reasonp)
{
	char *keys;
	int err;

	if (!is_wire(run->cfg->capture))
		return 0;

	err = sim_packets_new(&run->packets, run->cfg->loop,
			      sim_net_number(net), run->folder.path, reasonp);
	if (err)
		return err;

	keys = keys_file(run);
	if (!sim_plan_add(plan, -1, "reveal-tls-secrets", keys)) {
		*reasonp = xasprintf("more than %d options for the elements: "
				     "none is left for --capture wire",
				     SIM_EXTRA_MAX - 1);
		err = E2BIG;
	}
	free(keys);

	return err;
}

static int write_wire(const struct sim_run *run, FILE *f)
{
	char *path = keys_file(run);
	FILE *keys = fopen(path, "re");
	int err = sim_packets_write(run->packets, keys, f);

	if (keys)
		(void)fclose(keys);
	free(path);

	return err;
}

/** Write capture.pcapng: 0, or errno of what failed */
int sim_run_write_capture(const struct sim_run *run,
			  const struct sim_label *labels, FILE *f)
{
	if (!run->packets)
		return sim_pcapng_write(sim_label_trace(labels),
					clock_wall_us() - clock_now_us(), f);

	sim_packets_finish(run->packets);

	return write_wire(run, f);
}

/** Say what the capture has lost, if it has */
void sim_run_print_capture(const struct sim_run *run)
{
	const char *loss = run->packets ? sim_packets_loss(run->packets) : NULL;

	if (loss)
		printf("capture.pcapng is not whole: %s\n", loss);
}

/** Free what the capture had; the keys are in capture.pcapng alone, if at all
 */
void sim_run_end_capture(struct sim_run *run)
{
	char *keys;

	if (!run->packets)
		return;

	keys = keys_file(run);
	(void)unlink(keys);
	free(keys);
	run->packets = sim_packets_free(run->packets);
}
