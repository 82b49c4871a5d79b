/** @file https_linger.h  Sockets that are closed only when the peer has read
 *
 * To close a socket with unread bytes in it resets the connection, and the
 * peer may lose the refusal that was sent last (RFC 9112 9.6). So its sending
 * side is shut, and the rest is read and thrown away, for a bounded time.
 */
#ifndef SIPSHARE_HTTPS_LINGER_H
#define SIPSHARE_HTTPS_LINGER_H

struct https_lingers;
struct loop;

struct https_lingers *https_lingers_new(struct loop *loop);
struct https_lingers *https_lingers_free(struct https_lingers *lingers);
void https_lingers_add(struct https_lingers *lingers, int fd);

#endif
