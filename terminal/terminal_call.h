/** @file terminal_call.h  Calls of a UE (RFC 3261, TS 24.229 5.1.3, 5.1.4)
 *
 * A UE has at most one active call and one that waits (TS 24.615), and keeps
 * what its last one was until the next ends or the lease does. The procedure is
 * terminal_call.c, what is on the wire terminal_call_sip.c.
 */
#ifndef SIPSHARE_TERMINAL_CALL_H
#define SIPSHARE_TERMINAL_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rtp.h"

struct ue_call_sip;
struct call_waiter;
struct fsm;
struct call_invite;
struct ue;
struct ue_call;

/** Told once: the call is up, or has ended; call is borrowed, and NULL if the
 * terminal ends first */
typedef void call_done_cb(const struct ue_call *call, void *arg);

/** What a UE does with a call that comes in */
enum ue_answer_mode {
	UE_ANSWER_AUTO,    /**< 180, 200 */
	UE_ANSWER_RING,    /**< 180, then as told; 480 in the end */
	UE_ANSWER_BUSY,    /**< 486 */
	UE_ANSWER_DECLINE, /**< 603 */
	UE_ANSWER_NONE,    /**< nothing at all, as if it were gone */
	UE_ANSWER_WAITING, /**< 180, 200; a second call rings and waits */
	UE_ANSWER_N
};

/** One call. Owned by its UE */
struct ue_call {
	struct ue *ue;
	struct fsm *fsm;
	struct ue_call_sip
		*sip;    /**< dialog and transactions; NULL: none left */
	struct rtp *rtp; /**< NULL: none */
	struct rtp_counts counts;
	uint64_t sdp_id;
	unsigned sdp_version;
	char *sdp; /**< ours, to be sent with the 200 */
	bool is_outgoing, is_auto, is_silent;
	bool has_remote;    /**< their SDP is known */
	bool is_heard;      /**< they want to receive */
	bool awaits_answer; /**< our offer went out in a 200 */
	bool hangs_up;      /**< told so before the ACK came */
	char *peer, *shown, *call_id;
	int status; /**< final one of the INVITE, 0: none yet */
	char *reason;
	struct call_waiter *waiters;
};

int ue_call_dial(struct ue_call **callp, struct ue *ue, const char *to,
		 const char *display, char **reasonp);
struct ue_call *ue_call_incoming(int *statusp, struct ue *ue,
				 const struct call_invite *invite);
void ue_call_wait(struct ue_call *call, bool until_end, call_done_cb *cb,
		  void *arg);
int ue_answer(struct ue *ue, call_done_cb *cb, void *arg);
int ue_hangup(struct ue *ue, call_done_cb *cb, void *arg);
int ue_cancel(struct ue *ue, call_done_cb *cb, void *arg);
void ue_calls_end(struct ue *ue);
void ue_calls_forget(struct ue *ue);

#endif
