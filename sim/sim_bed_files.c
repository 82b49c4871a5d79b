/* What the elements find in the run's folder when they are started */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/pki.h"
#include "sim/sim_bed_files.h"
#include "sim/sim_net.h"
#include "sim/sim_super_args.h"

enum { HOST_LEN = 80 };

/** Make the run's CA, and a certificate for each who speaks HTTPS; 0, or what
 * could not be made */
int sim_bed_certificates(const struct sim_super_cfg *cfg, char **reasonp)
{
	const char *names[SIM_ACTOR_COUNT + 1] = { NULL };
	const char *hosts[SIM_ACTOR_COUNT + 1] = { NULL };
	char text[SIM_ACTOR_COUNT][HOST_LEN];
	char *dir = xasprintf("%s/pki", cfg->dir);
	int n = 0, err;

	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		/* who speaks HTTPS; the others need none */
		if (i != SIM_HSS && i != SIM_PLATFORM && i != SIM_APPSERVER &&
		    i != SIM_APPSERVER2 && i != SIM_BOSS)
			continue;
		if (!sim_actor_is_in((enum sim_actor)i, cfg->appservers))
			continue;
		names[n] = sim_actor_name((enum sim_actor)i);
		sim_net_hosts(cfg->net, names[n], text[n], HOST_LEN);
		hosts[n] = text[n][0] ? text[n] : NULL;
		n++;
	}
	err = pki_make(dir, names, hosts, reasonp);
	free(dir);

	return err;
}

/** Write the AS's users: a line each, real number and secret; 0, or errno */
int sim_bed_users(const struct sim_super_cfg *cfg, const json_t *users,
		  char **reasonp)
{
	char *path = sim_users_file(cfg);
	FILE *f = fopen(path, "we");
	const char *number;
	json_t *secret;
	int err = f ? 0 : errno;

	json_object_foreach((json_t *)users, number, secret)
	{
		if (f)
			(void)fprintf(f, "%s %s\n", number,
				      json_string_value(secret));
	}
	if (f && fclose(f))
		err = errno;
	if (err)
		*reasonp =
			xasprintf("cannot write %s: %s", path, strerror(err));
	free(path);

	return err;
}
