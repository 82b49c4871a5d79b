/* Several AS in the way of one call: the filter criteria of a profile name each
 * of them, and the S-CSCF sends the INVITE through all (TS 24.229 5.4.3.2).
 * Each acts for what is bound at it, and passes the rest on as it came.
 *
 * The AS that has the caller bound checks the number that is shown and writes
 * the record that is charged; the one that has the callee bound finds its
 * SIP-URI, and writes the callee's record. Whose a caller is that no AS has
 * bound cannot be seen from here: so an AS leaves a mark in P-Charging-Vector
 * (generic-param of RFC 7315 5.6; the P-CSCF takes no such header from a UE):
 *
 * - charged-by: the caller is mine, the next AS passes the call on;
 * - passed-by: of the first AS. It has not bound the caller, nor ever leased
 *   its SIP-URI, so that the last AS may take it for an account of its own.
 *
 * Without either the first AS is not there (DefaultHandling SESSION_CONTINUED):
 * then nobody knows who would be charged, and the call is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_parser.h>
#include <sofia-sip/su_alloc.h>

#include "appserver/appserver_binding.h"
#include "appserver/appserver_call.h"
#include "common/ims_headers.h"
#include "common/mem.h"

/** The place of that name, NULL: alone; 0, or EINVAL */
int as_chain_read(enum as_chain *chainp, const char *name)
{
	static const char *const names[] = {
		[AS_ALONE] = "alone", [AS_FIRST] = "first", [AS_LAST] = "last"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name ? name : names[AS_ALONE], names[i]) != 0)
			continue;
		*chainp = (enum as_chain)i;
		return 0;
	}

	return EINVAL;
}

/* A parameter of P-Charging-Vector without quotes, in home; NULL: none */
static char *param(su_home_t *home, const char *vector, const char *name)
{
	char *text = su_sprintf(home, ";%s", vector ? vector : "");
	char *list = text;
	const msg_param_t *params = NULL;
	const char *value;

	if (!vector || msg_params_d(home, &list, &params) < 0)
		return NULL;

	value = msg_params_find(params, name);
	if (!value)
		return NULL;
	if (*value == '"')
		return msg_unquote_dup(home, value);

	return su_strdup(home, value);
}

static bool has_mark(const char *vector, const char *name)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	bool has = param(home, vector, name);

	su_home_deinit(home);

	return has;
}

/** The charging id that all AS have in common; the caller's, or NULL */
char *as_chain_icid(const char *vector)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *icid = xstrdup(param(home, vector, "icid-value="));

	su_home_deinit(home);

	return icid;
}

/**
 * Whether the caller is this AS's to check and to charge
 *
 * @param vector P-Charging-Vector as it came, or NULL
 * @param uri    The caller's, as the network asserts it
 * @param party  Filled; of another AS's caller with the SIP-URI alone
 * @param rolep  AS_ORIGINATING: it is ours; else AS_PASSING
 *
 * @return NULL, or what the 403 says
 */
const char *as_chain_caller(const struct appserver *as, const char *vector,
			    const char *uri, struct as_party *party,
			    enum as_role *rolep)
{
	bool is_ours = as->chain == AS_ALONE || as_binding_of_uri(as, uri);
	bool is_charged = has_mark(vector, "charged-by=");

	*rolep = AS_PASSING;
	if (!is_ours && (as->chain == AS_FIRST || is_charged)) {
		xstrset(&party->uri, uri);
		return NULL;
	}
	if (!is_ours && !has_mark(vector, "passed-by="))
		return "No Server That Answers Has the Caller's SIP-URI";

	*rolep = AS_ORIGINATING;

	return as_number_caller(as, uri, party)
		       ? "The Caller's SIP-URI Is Lent to Nobody"
		       : NULL;
}

/** P-Charging-Vector with what the next AS must know; the caller's. NULL: as
 * it came */
char *as_chain_mark(const struct as_call *call, const char *vector)
{
	const struct appserver *as = call->as;
	const struct as_cdr *cdr = call->cdr;
	const char *mark = NULL;
	char *made = NULL, *marked;

	if (as->chain != AS_ALONE && cdr->role == AS_ORIGINATING)
		mark = "charged-by";
	else if (as->chain == AS_FIRST &&
		 !as_uri_is_lent(as, cdr->party[AS_NEAR].uri))
		mark = "passed-by";
	if (!mark)
		return NULL;

	if (!vector)
		made = ims_charging_vector(as->realm);
	marked = xasprintf("%s;%s=\"%s\"", vector ? vector : made, mark,
			   as_sip_addr(as));
	free(made);

	return marked;
}
