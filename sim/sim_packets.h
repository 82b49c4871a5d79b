/** @file sim_packets.h  A run's packets as they were on the wire, by libpcap
 *
 * What goes to or comes from the run's own network 127.N.0.0/16 is captured at
 * the loopback interface, and nothing else of the machine.
 */
#ifndef SIPSHARE_SIM_PACKETS_H
#define SIPSHARE_SIM_PACKETS_H

#include <stdint.h>
#include <stdio.h>

struct loop;
struct sim_packets;

int sim_packets_check(char **reasonp);
int sim_packets_new(struct sim_packets **pp, struct loop *loop, int number,
		    const char *dir, char **reasonp);
struct sim_packets *sim_packets_free(struct sim_packets *packets);
void sim_packets_finish(struct sim_packets *packets);
const char *sim_packets_loss(const struct sim_packets *packets);
int sim_packets_write(struct sim_packets *packets, FILE *keys, FILE *f);

#endif
