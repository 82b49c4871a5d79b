/** @file cx_core.h  What both ends of Cx share: calls out, requests in */
#ifndef SIPSHARE_CX_CORE_H
#define SIPSHARE_CX_CORE_H

#include "common/cx_codec.h"
#include "common/dia_peer.h"

/** Requests that wait for a typed answer; owned by the client or server */
struct cx_calls {
	struct cx_call *first;
};

/** Whatever the command's callback is; each is called as its own type */
union cx_cb {
	cx_uaa_cb *uaa;
	cx_maa_cb *maa;
	cx_saa_cb *saa;
	cx_lia_cb *lia;
	cx_rta_cb *rta;
};

void cx_call_tx(struct cx_calls *calls, struct dia_peer *peer,
		struct dia_build *b, uint32_t command, union cx_cb cb,
		void *arg);
void cx_call_refuse(struct cx_calls *calls, struct element *el,
		    uint32_t command, union cx_cb cb, void *arg);
void cx_calls_forget(struct cx_calls *calls, const void *arg);
void cx_calls_free(struct cx_calls *calls);

/** The peer that a request came from, or NULL if it is gone */
typedef struct dia_peer *cx_peer_find(void *owner, unsigned id);

/** Requests of the other side that wait for our answer; owned likewise */
struct cx_reqs {
	struct cx_req *first;
	struct element *el;
	cx_peer_find *find;
	void *owner;
	const char *origin_host, *origin_realm;
};

struct cx_req *cx_req_new(struct cx_reqs *reqs, unsigned peer_id,
			  const struct dia_peer *peer,
			  const struct dia_msg *msg);
void cx_reqs_free(struct cx_reqs *reqs);

void cx_put_destination(struct dia_build *b, const char *realm,
			const char *host);

#endif
