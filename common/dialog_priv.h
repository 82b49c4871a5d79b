/** @file dialog_priv.h  Between the table of dialogs and what fills it */
#ifndef SIPSHARE_DIALOG_PRIV_H
#define SIPSHARE_DIALOG_PRIV_H

#include "common/dialog.h"

enum dialog_event {
	DIALOG_EV_ANSWERED,  /**< 2xx to what made it */
	DIALOG_EV_REFRESHED, /**< 2xx to a request inside */
	DIALOG_EV_LOST,      /**< 408, 481 or no answer to one inside */
	DIALOG_EV_LEFT,      /**< the element wants it to end */
	DIALOG_EV_OVER,
	DIALOG_EV_TIMEOUT,
	DIALOG_EVENT_N
};

/** What a new dialog is known by; all borrowed */
struct dialog_key {
	const char *call_id;
	const char *tag[DIALOG_SIDE_N];
	const char *impu;
	bool is_call;
};

struct dialog *dialog_new(struct dialog_table *table,
			  const struct dialog_key *key);
struct dialog *dialog_get(const struct dialog_table *table, const char *call_id,
			  const char *user_tag, const char *peer_tag);
void dialog_tell(struct dialog *d, enum dialog_event event);
void dialog_forget_first(struct dialog *d);

#endif
