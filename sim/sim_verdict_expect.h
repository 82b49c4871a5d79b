/** @file sim_verdict_expect.h  "S401..S414, S501/…": expected steps, read */
#ifndef SIPSHARE_SIM_VERDICT_EXPECT_H
#define SIPSHARE_SIM_VERDICT_EXPECT_H

#include <stddef.h>

int sim_expect_parse(char ***refsp, size_t *np, const char *expect,
		     char **reasonp);
void sim_expect_free(char **refs, size_t n);

#endif
