/* Receiving unit 012 (CN103516675A [0126], [0129], [0133]): what the AS
 * answers, and how it comes into memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/https.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/trace.h"
#include "terminal/terminal_core.h"
#include "terminal/terminal_lease.h"

/** An answer of the AS came, or none did: https_client's callback */
void ue_on_answer(const struct https_resp *resp, void *arg)
{
	const struct ue *ue = arg;
	struct https_resp copy = *resp;

	(void)fsm_event(ue->fsm, UE_EV_ANSWER, &copy);
}

/* The body of a 200; NULL, with a reason that names who sent it */
static json_t *parse(const struct ue *ue, const struct https_resp *resp,
		     char **reasonp)
{
	char *reason = NULL;
	json_t *body =
		json_read(resp->body ? resp->body : "", resp->len, &reason);

	if (!body)
		*reasonp = xasprintf("%s answered 200, but %s",
				     ue_appserver(ue), reason);
	free(reason);

	return body;
}

/* Makes reason, which is freed, say who sent it */
static int bad_field(const struct ue *ue, char *reason, char **reasonp)
{
	*reasonp =
		xasprintf("%s answered 200, but %s", ue_appserver(ue), reason);
	free(reason);

	return EBADMSG;
}

/**
 * Keep the token that S402 gave
 *
 * @return 0, or EBADMSG with the reason
 */
int ue_recv_token(struct ue *ue, const struct https_resp *resp, char **reasonp)
{
	json_t *body = parse(ue, resp, reasonp);
	char *reason = NULL;
	const char *token;
	int err = 0;

	if (!body)
		return EBADMSG;

	token = json_need_string(body, "token", &reason);
	if (token)
		xstrset(&ue->token, token);
	else
		err = bad_field(ue, reason, reasonp);
	json_decref(body);

	return err;
}

/* Copies text behind what is there already; gives where it stands */
static const char *put(char **endp, const char *text)
{
	size_t size = strlen(text) + 1;
	char *at = memcpy(*endp, text, size);

	*endp += size;

	return at;
}

/** A copy in one block; of from only the texts and numbers count */
struct ue_lease *ue_lease_new(const struct ue_lease *from)
{
	size_t size = sizeof(*from) + strlen(from->uri) + strlen(from->impi) +
		      strlen(from->password) + strlen(from->realm) +
		      strlen(from->proxy) + 5;
	struct ue_lease *lease = xcalloc(1, size);
	char *end = lease->texts;

	lease->size = size;
	lease->lease_id = from->lease_id;
	lease->expires_s = from->expires_s;
	lease->uri = put(&end, from->uri);
	lease->impi = put(&end, from->impi);
	lease->password = put(&end, from->password);
	lease->realm = put(&end, from->realm);
	lease->proxy = put(&end, from->proxy);

	return lease;
}

static int read_lease(struct ue_lease *in, const json_t *body, char **reasonp)
{
	static const int64_t ids[] = { 1, INT64_MAX };
	static const int64_t seconds[] = { 1, INT32_MAX };
	int64_t expires_s = 0;

	in->uri = json_need_string(body, "uri", reasonp);
	if (in->uri)
		in->impi = json_need_string(body, "impi", reasonp);
	if (in->impi)
		in->password = json_need_string(body, "password", reasonp);
	if (in->password)
		in->realm = json_need_string(body, "realm", reasonp);
	if (in->realm)
		in->proxy = json_need_string(body, "proxy", reasonp);
	if (!in->proxy ||
	    json_need_int(&in->lease_id, body, "lease_id", ids, reasonp) ||
	    json_need_int(&expires_s, body, "expires_s", seconds, reasonp))
		return EBADMSG;

	in->expires_s = (int)expires_s;

	return 0;
}

/**
 * Take SIP-URI and password into memory. S407, S102: [0086], [0129]
 *
 * The parser's own copies are wiped as it frees them (common/wipe.h).
 *
 * @return 0, or EBADMSG with the reason: the UE holds what it held before
 */
int ue_recv_lease(struct ue *ue, const struct https_resp *resp, char **reasonp)
{
	json_t *body = parse(ue, resp, reasonp);
	struct ue_lease in = { 0 };
	char *reason = NULL;
	int err = 0;

	if (!body)
		return EBADMSG;

	if (read_lease(&in, body, &reason)) {
		err = bad_field(ue, reason, reasonp);
		goto out;
	}
	ue_lease_wipe(ue->lease);
	ue->lease = ue_lease_new(&in);
	ue->limit_us = clock_now_us() + in.expires_s * 1000000LL;
	ue->lease->limit_us = ue->limit_us;
	trace_event(ue->terminal->el->trace, "ue.leased",
		    json_pack("{s:s, s:s, s:I}", "number", ue->number, "uri",
			      ue->lease->uri, "lease_id",
			      (json_int_t)ue->lease->lease_id));

out:
	json_decref(body);

	return err;
}

/** For how long the AS lets the SIP-URI be used after the call-end message */
int ue_recv_max_use(int *max_use_sp, const struct ue *ue,
		    const struct https_resp *resp, char **reasonp)
{
	static const int64_t seconds[] = { 0, INT32_MAX };
	json_t *body = parse(ue, resp, reasonp);
	char *reason = NULL;
	int64_t max_use_s = 0;
	int err = 0;

	if (!body)
		return EBADMSG;

	if (json_need_int(&max_use_s, body, "max_use_s", seconds, &reason))
		err = bad_field(ue, reason, reasonp);
	else
		*max_use_sp = (int)max_use_s;
	json_decref(body);

	return err;
}
