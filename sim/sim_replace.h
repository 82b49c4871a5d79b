/** @file sim_replace.h  A file that takes its place when it is complete
 *
 * Whoever reads it sees the one before, or the whole of the new one.
 */
#ifndef SIPSHARE_SIM_REPLACE_H
#define SIPSHARE_SIM_REPLACE_H

#include <stdio.h>

struct sim_replace;

/** Begin: 0, or errno and a reason, which names the file. What is no regular
 * file (/dev/stdout, a pipe) is written straight */
int sim_replace_open(struct sim_replace **rp, const char *path, char **reasonp);
FILE *sim_replace_file(const struct sim_replace *r);
/** Put it in its place, or say why not; r is freed either way */
int sim_replace_commit(struct sim_replace *r, char **reasonp);
/** Leave all as it was */
void sim_replace_abort(struct sim_replace *r);

#endif
