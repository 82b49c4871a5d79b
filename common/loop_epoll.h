/** @file loop_epoll.h  Both libraries' loops, and what they poll by
 *
 * An epoll descriptor can be watched from outside, and looked at without
 * taking anything away. Needs /proc.
 */
#ifndef SIPSHARE_LOOP_EPOLL_H
#define SIPSHARE_LOOP_EPOLL_H

#include <sofia-sip/su_wait.h>

struct event_base;

int loop_epoll_new_root(su_root_t **rootp);
struct event_base *loop_epoll_new_base(int *fdp);

#endif
