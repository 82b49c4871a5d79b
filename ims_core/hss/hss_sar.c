#include <string.h>

#include "ims_core/hss/hss_core.h"

/** What a Server-Assignment-Type does (TS 29.228 6.1.2.1) */
enum server_rule {
	SERVER_TAKEN,   /**< the request's S-CSCF is stored */
	SERVER_KEPT,    /**< the one stored stays */
	SERVER_CLEARED, /**< nobody has the user any more */
	SERVER_IF_USED  /**< cleared with the pending challenge, if the user
			     is not registered */
};

enum { STATE_KEPT = HSS_STATE_N };

struct assignment {
	const char *name;
	int state; /**< that follows, or STATE_KEPT */
	enum server_rule server;
	bool has_profile;            /**< SAA carries User-Data */
	bool is_not_registered_only; /**< 5007 if the user is REGISTERED */
};

static const struct assignment assignments[] = {
	[CX_NO_ASSIGNMENT] = { "NO_ASSIGNMENT", STATE_KEPT, SERVER_KEPT, true,
			       false },
	[CX_SAT_REGISTRATION] = { "REGISTRATION", HSS_REGISTERED, SERVER_TAKEN,
				  true, false },
	[CX_RE_REGISTRATION] = { "RE_REGISTRATION", HSS_REGISTERED,
				 SERVER_TAKEN, true, false },
	[CX_UNREGISTERED_USER] = { "UNREGISTERED_USER", HSS_UNREGISTERED,
				   SERVER_TAKEN, true, true },
	[CX_TIMEOUT_DEREGISTRATION] = { "TIMEOUT_DEREGISTRATION",
					HSS_NOT_REGISTERED, SERVER_CLEARED,
					false, false },
	[CX_USER_DEREGISTRATION] = { "USER_DEREGISTRATION", HSS_NOT_REGISTERED,
				     SERVER_CLEARED, false, false },
	[CX_TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME] = { "TIMEOUT_"
							  "DEREGISTRATION_"
							  "STORE_SERVER_NAME",
							  HSS_UNREGISTERED,
							  SERVER_KEPT, false,
							  false },
	[CX_USER_DEREGISTRATION_STORE_SERVER_NAME] = { "USER_DEREGISTRATION_"
						       "STORE_SERVER_NAME",
						       HSS_UNREGISTERED,
						       SERVER_KEPT, false,
						       false },
	[CX_ADMINISTRATIVE_DEREGISTRATION] = { "ADMINISTRATIVE_DEREGISTRATION",
					       HSS_NOT_REGISTERED,
					       SERVER_CLEARED, false, false },
	[CX_AUTHENTICATION_FAILURE] = { "AUTHENTICATION_FAILURE", STATE_KEPT,
					SERVER_IF_USED, false, false },
	[CX_AUTHENTICATION_TIMEOUT] = { "AUTHENTICATION_TIMEOUT", STATE_KEPT,
					SERVER_IF_USED, false, false },
	[CX_DEREGISTRATION_TOO_MUCH_DATA] = { "DEREGISTRATION_TOO_MUCH_DATA",
					      HSS_NOT_REGISTERED,
					      SERVER_CLEARED, false, false },
};

static const struct assignment *find_assignment(enum cx_sat type)
{
	size_t i = (size_t)type;

	return i < sizeof(assignments) / sizeof(assignments[0])
		       ? &assignments[i]
		       : NULL;
}

static bool is_deregistration(const struct assignment *a)
{
	return a->state == HSS_NOT_REGISTERED;
}

/* Whether this S-CSCF may say so: a user has one S-CSCF at a time. A second
 * deregistration, whose first answer was lost, finds none: nothing is left to
 * do, and that is a success. */
static bool check_server(struct cx_result *result, const struct hss_reg *reg,
			 const struct assignment *a, const char *server)
{
	bool is_same = reg->scscf && !strcmp(reg->scscf, server);
	bool is_free = !reg->scscf;

	if (a->is_not_registered_only && reg->state == HSS_REGISTERED &&
	    is_same) {
		*result = (struct cx_result){
			CX_ERROR_IN_ASSIGNMENT_TYPE, true,
			"Server-Assignment-Type: the user is registered"
		};
		return false;
	}
	if (is_same ||
	    (is_free && (a->server == SERVER_TAKEN || is_deregistration(a) ||
			 a->server == SERVER_IF_USED)))
		return true;

	if (a->server == SERVER_TAKEN)
		*result = (struct cx_result){
			CX_ERROR_IDENTITY_ALREADY_REGISTERED, true,
			"Server-Name: another S-CSCF has this user"
		};
	else
		*result = (struct cx_result){
			CX_UNABLE_TO_COMPLY, false,
			"Server-Name: not the S-CSCF that has this user"
		};

	return false;
}

/**
 * Server-Assignment (TS 29.228 6.1.2.1): the S-CSCF has, or no longer has, the
 * user. S516: [0105]
 */
void hss_sar_decide(struct cx_result *result, struct hss_reg *next,
		    const struct hss_user *user, const struct cx_sar *sar)
{
	const struct assignment *a = find_assignment(sar->type);

	if (!hss_check_identities(result, user, sar->impi))
		return;
	if (!a || !sar->server_name) {
		*result = (struct cx_result){ CX_UNABLE_TO_COMPLY, false,
					      a ? "Server-Name is missing"
						: "Server-Assignment-Type is "
						  "not of Cx" };
		return;
	}
	if (!check_server(result, &user->reg, a, sar->server_name))
		return;

	*result = (struct cx_result){ CX_SUCCESS, false, NULL };
	*next = user->reg;
	if (a->state != STATE_KEPT)
		next->state = (enum hss_state)a->state;
	if (sar->type != CX_NO_ASSIGNMENT)
		next->is_auth_pending = false;
	if (a->server == SERVER_TAKEN)
		next->scscf = sar->server_name;
	else if (a->server == SERVER_CLEARED ||
		 (a->server == SERVER_IF_USED &&
		  user->reg.state == HSS_NOT_REGISTERED))
		next->scscf = NULL;
}

/** Whether the answer carries the user's profile */
bool hss_sar_wants_profile(const struct cx_sar *sar)
{
	const struct assignment *a = find_assignment(sar->type);

	return a && a->has_profile &&
	       (!sar->has_user_data || sar->type == CX_NO_ASSIGNMENT);
}
