/* The sound of a call: SDP (RFC 3264), RTP (RFC 3550) */
#include <errno.h>
#include <stdlib.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/rtp.h"
#include "common/trace.h"
#include "terminal/terminal.h"
#include "terminal/terminal_call_parts.h"
#include "terminal/terminal_core.h"
#include "terminal/terminal_sdp.h"

/* Take the other end's SDP for the sound */
static void set_remote(struct ue_call *call, const struct ue_sdp_remote *remote)
{
	call->has_remote = true;
	call->is_heard = remote->is_listening;
	if (rtp_set_peer(call->rtp, remote->host, remote->port,
			 remote->payload))
		log_warn("terminal ue%u: SDP names %s, which is no address",
			 call->ue->id, remote->host);
	if (ue_call_is(call, CALL_CONFIRMED))
		ue_call_media_talk(call);
}

/** Take the answer to our offer, unless an earlier message brought it already;
 * 0, EBADMSG or ENOTSUP */
int ue_call_media_answered(struct ue_call *call, const struct call_body *body)
{
	struct ue_sdp_remote remote;
	char *reason = NULL;
	int err;

	if (!body || !body->text)
		return call->has_remote ? 0 : EBADMSG;

	err = ue_sdp_read_answer(&remote, body->text, body->len, &reason);
	if (!err)
		set_remote(call, &remote);
	else
		log_warn("terminal ue%u: %s", call->ue->id, reason);
	free(reason);

	return err;
}

static char *own_host(const struct ue_call *call, char *text)
{
	struct addr addr;

	if (addr_parse(&addr, terminal_sip_addr(call->ue->terminal)))
		abort(); /* it is our own */

	return addr_host(text, &addr);
}

static struct ue_sdp_local local_sdp(struct ue_call *call, char *text)
{
	return (struct ue_sdp_local){ .host = own_host(call, text),
				      .port = rtp_port(call->rtp),
				      .id = call->sdp_id,
				      .version = ++call->sdp_version };
}

/** An offer; the caller's to free */
char *ue_call_media_offer(struct ue_call *call)
{
	char host[ADDR_TEXT_LEN];
	struct ue_sdp_local local = local_sdp(call, host);

	return ue_sdp_offer(&local);
}

/** Our SDP for a 200, the caller's to free: the answer to an offer, or else an
 * offer (RFC 3261 13.3.1). 0, or the status to refuse with */
int ue_call_media_offered(char **sdpp, struct ue_call *call,
			  const struct call_body *offer)
{
	struct ue_sdp_remote remote;
	struct ue_sdp_local local;
	char host[ADDR_TEXT_LEN];
	char *reason = NULL;
	int err;

	call->awaits_answer = !offer->text;
	if (!offer->text) {
		*sdpp = ue_call_media_offer(call);
		return 0;
	}
	local = local_sdp(call, host);
	err = ue_sdp_answer(sdpp, &remote, &local, offer->text, offer->len,
			    &reason);
	if (!err)
		set_remote(call, &remote);
	else
		log_warn("terminal ue%u: %s", call->ue->id, reason);
	free(reason);

	return !err ? 0 : err == ENOTSUP ? 488 : 400;
}

/** Open the call's socket; 0, or errno with the reason */
int ue_call_media_open(struct ue_call *call, char **reasonp)
{
	char host[ADDR_TEXT_LEN];

	call->sdp_id = (uint64_t)clock_wall_us();

	return rtp_new(&call->rtp, call->ue->terminal->el->loop,
		       own_host(call, host), reasonp);
}

/** The call is up: send, if they want to hear */
void ue_call_media_talk(struct ue_call *call)
{
	rtp_talk(call->rtp, call->is_heard);
}

/** No more sound; what there was is told and kept */
void ue_call_media_close(struct ue_call *call)
{
	if (!call->rtp)
		return;

	rtp_get_counts(call->rtp, &call->counts);
	trace_event(call->ue->terminal->el->trace, "ue.rtp",
		    json_pack("{s:s, s:i, s:i, s:i, s:i}", "number",
			      call->ue->number, "sent", (int)call->counts.sent,
			      "received", (int)call->counts.received, "late",
			      (int)call->counts.late, "foreign",
			      (int)call->counts.foreign));
	call->rtp = rtp_free(call->rtp);
}
