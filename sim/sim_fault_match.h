/** @file sim_fault_match.h  Is this received message the one that is meant? */
#ifndef SIPSHARE_SIM_FAULT_MATCH_H
#define SIPSHARE_SIM_FAULT_MATCH_H

#include <stdbool.h>

#include <jansson.h>

int sim_fault_match_check(const json_t *at, char **reasonp);
bool sim_fault_match(const json_t *at, const char *what, const char *text,
		     const char *user_uri);

#endif
