/** @file dialog.h  Dialogs as a proxy in their way knows them (RFC 3261 12)
 *
 * What a CSCF saves of the dialogs of the users that it serves (TS 24.229
 * 5.2.7, 5.4.3.2, 5.4.3.3): tags, route sets from here, remote targets, CSeqs.
 * One dialog is one pass: an element that serves both ends has two. A first
 * request may make several (forks), one for each tag of who answers.
 *
 * Nothing here sends or receives. The number is bounded by the table's size,
 * the time by Session-Expires, Expires or the timer dialog.
 */
#ifndef SIPSHARE_DIALOG_H
#define SIPSHARE_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sofia-sip/sip.h>

struct dialog_table;
struct dialog_user;
struct element;
struct fsm;

enum dialog_side { DIALOG_USER, DIALOG_PEER, DIALOG_SIDE_N };

/** One end; the user's is the one that the element serves */
struct dialog_end {
	char *tag;
	char *name;    /**< as in From and To, with the tag */
	char *target;  /**< its Contact; NULL: it has given none */
	char *routes;  /**< from here to it, a Route's value; "": none */
	uint32_t cseq; /**< of its last request; 0: none yet */
};

/** Owned by its table, gone when it is over */
struct dialog {
	struct dialog_table *table;
	char *call_id;
	struct dialog_end end[DIALOG_SIDE_N];
	struct dialog_user *user;
	bool is_call; /**< of an INVITE, not of SUBSCRIBE or REFER */
	struct fsm *fsm;
	int64_t life_ms; /**< without news of it */
	LIST_ENTRY(dialog) of_user;
	struct dialog_first *first; /**< NULL: that is answered */
	LIST_ENTRY(dialog) of_first;
};

/** A first request under way. In its owner; all but the list is borrowed */
struct dialog_first {
	struct dialog_table *table;
	const sip_t *request;
	const char *impu; /**< the user; NULL: of no interest */
	bool is_called;   /**< the user is who is called */
	LIST_HEAD(dialog_early, dialog) early;
	int early_n;
};

/** Which dialog, seen from either end; owned by whoever copied it */
struct dialog_id {
	char *call_id, *tag[DIALOG_SIDE_N];
};

/* dialog.c: the table and the states */
struct dialog_table *dialog_table_new(struct element *el, size_t max);
struct dialog_table *dialog_table_free(struct dialog_table *table);
size_t dialog_count(const struct dialog_table *table);
bool dialog_is_full(const struct dialog_table *table);
struct dialog *dialog_first_of(const struct dialog_table *table,
			       const char *impu);
const char *dialog_impu(const struct dialog *d);
bool dialog_is_up(const struct dialog *d);
bool dialog_is_closing(const struct dialog *d);
void dialog_leave(struct dialog *d);
struct dialog *dialog_twin(const struct dialog *d);
struct dialog_id dialog_id_copy(const struct dialog *d);
void dialog_id_clear(struct dialog_id *id);
void dialog_over(struct dialog_table *table, const struct dialog_id *id);

/* dialog_rx.c: what messages say */
struct dialog *dialog_find(const struct dialog_table *table, const sip_t *sip,
			   enum dialog_side from);
void dialog_first_rx(struct dialog_first *first, int status,
		     const sip_t *response);
void dialog_first_drop(struct dialog_first *first);
void dialog_rx_again(const struct dialog_table *table, const sip_t *response);
void dialog_rx_request(const struct dialog_table *table, const sip_t *sip);
void dialog_rx_answer(const struct dialog_table *table, const sip_t *request,
		      int status, const sip_t *response);

#endif
