/** @file sim_net.h  Where each element listens: a loopback network of its own
 *
 * A run takes 127.N.0.0/16 and holds it by a bound socket, which the kernel
 * gives back however the run ends. `up --host` has one host and many ports.
 */
#ifndef SIPSHARE_SIM_NET_H
#define SIPSHARE_SIM_NET_H

struct sim_net;

/** Every address that an element listens at */
enum sim_link {
	SIM_PCSCF_SIP,
	SIM_ICSCF_SIP,
	SIM_SCSCF_SIP,
	SIM_HSS_DIAMETER,
	SIM_HSS_SOAP,
	SIM_APPSERVER_HTTPS,
	SIM_APPSERVER_SIP,
	SIM_PLATFORM_HTTPS,
	SIM_PLATFORM_SIP,
	SIM_BOSS_HTTPS,
	SIM_TERMINAL_SIP,
	SIM_LINK_COUNT, /**< what every testbed has; then, at a network of its
			     own, what one may ask for */
	SIM_APPSERVER2_HTTPS = SIM_LINK_COUNT,
	SIM_APPSERVER2_SIP,
	SIM_LINK_ALL
};

enum { SIM_PORT_BASE = 5060 };

int sim_net_take(struct sim_net **np, char **reasonp);
int sim_net_at_host(struct sim_net **np, const char *host, int port_base,
		    char **reasonp);
struct sim_net *sim_net_free(struct sim_net *net);

int sim_net_number(const struct sim_net *net);
const char *sim_net_addr(const struct sim_net *net, enum sim_link link);
const char *sim_net_uri(const struct sim_net *net, enum sim_link link);
const char *sim_net_actor(enum sim_link link);
const char *sim_net_proto(enum sim_link link);
void sim_net_hosts(const struct sim_net *net, const char *actor, char *text,
		   int room);

#endif
