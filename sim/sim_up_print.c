#include "sim/sim_up.h"

#include <stdlib.h>
#include <string.h>

#include "sim/sim_net.h"

static void print_json(const struct sim_up *up)
{
	const struct sim_net *net = sim_bed_net(up->bed);
	struct sim_super *super = sim_bed_super(up->bed);
	json_t *elements = json_object();
	json_t *all;
	char *text;

	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		enum sim_actor actor = (enum sim_actor)i;
		json_t *e;

		if (!sim_actor_is_in(actor, 1))
			continue;
		e = json_deep_copy(sim_super_addresses(super, actor));
		json_object_set_new(e, "pid",
				    json_integer(sim_super_pid(super, actor)));
		json_object_set_new(elements, sim_actor_name(actor), e);
	}
	all = json_pack("{s:o, s:s, s:s, s:s, s:s, s:i, s:i, s:s*}", "elements",
			elements, "realm", SIM_REALM, "proxy",
			sim_net_uri(net, SIM_PCSCF_SIP), "appserver",
			sim_net_uri(net, SIM_APPSERVER_HTTPS), "dir",
			up->folder.path, "users", up->user_n, "pool",
			up->pool_n, "accounts", up->accounts);
	text = json_dumps(all, JSON_COMPACT);
	puts(text ? text : "{}");
	free(text);
	json_decref(all);
}

static void print_users(const struct sim_up *up, const char *proxy)
{
	char *first = strdup(up->cfg->users);

	if (first && strchr(first, '-'))
		*strchr(first, '-') = '\0';
	printf("\nA user's settings:\n"
	       "  proxy      %s (udp, tcp)\n"
	       "  realm      " SIM_REALM "\n"
	       "  user       %s@" SIM_REALM ", the first of %d (%s)\n"
	       "  identity   sip:%s@" SIM_REALM "\n"
	       "  passwords  %s, a line a user: NUMBER SIP-URI PASSWORD\n",
	       proxy, first ? first : "", up->user_n, up->cfg->users,
	       first ? first : "", up->accounts);
	free(first);
}

/** Print where each element listens, and what a user needs to know */
void sim_up_print(const struct sim_up *up)
{
	const struct sim_net *net = sim_bed_net(up->bed);

	if (up->cfg->is_json) {
		print_json(up);
		(void)fflush(stdout);
		return;
	}

	puts("The testbed is up:");
	for (int i = 0; i < SIM_LINK_COUNT; i++)
		printf("  %-10s %-9s %s\n", sim_net_actor((enum sim_link)i),
		       sim_net_proto((enum sim_link)i),
		       sim_net_addr(net, (enum sim_link)i));
	printf("  logs, certificates and files are in %s\n", up->folder.path);
	if (up->pool_n)
		printf("  %d SIP-URIs to lend are in the platform's pool "
		       "(%s)\n",
		       up->pool_n, up->cfg->pool);
	if (up->accounts)
		print_users(up, sim_net_uri(net, SIM_PCSCF_SIP));
	puts("\nCtrl-C ends it.");
	(void)fflush(stdout);
}
