/* Sending unit 011 (CN103516675A [0125], [0132]): what the terminal sends to
 * the AS over HTTPS. Answers come to terminal_recv_012.c. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/https.h"
#include "common/mem.h"
#include "terminal/terminal_core.h"

/* body is stolen; its text may be a secret */
static void post(struct ue *ue, const char *path, json_t *body)
{
	struct terminal *t = ue->terminal;
	char *url = xasprintf("%s%s", ue_appserver(ue), path);
	char *text = json_dumps(body, JSON_COMPACT);
	char *bearer = ue->token ? xasprintf("Bearer %s", ue->token) : NULL;
	struct https_call call = { .method = "POST",
				   .url = url,
				   .type = "application/json",
				   .body = text,
				   .len = strlen(text) };

	/* RFC 6750 2.1 */
	if (bearer) {
		call.headers[0] = "Authorization";
		call.headers[1] = bearer;
	}
	https_client_call(t->https, &call, ue_on_answer, ue);

	json_decref(body);
	OPENSSL_cleanse(text, strlen(text));
	free(text);
	free(bearer);
	free(url);
}

/** Log in with the real number. S402: [0078] */
void ue_tx_login(struct ue *ue)
{
	post(ue, "/v1/login",
	     json_pack("{s:s, s:s}", "number", ue->number, "secret",
		       ue->secret));
}

/** SIP-URI use request with the real number. S403, S101: [0079] */
void ue_tx_request(struct ue *ue)
{
	post(ue, "/v1/sip-uri", json_pack("{s:s}", "number", ue->number));
}

/** SIP-URI release request with the real number. S409: [0114] */
void ue_tx_release(struct ue *ue)
{
	post(ue, "/v1/release", json_pack("{s:s}", "number", ue->number));
}

/** Call-end message with the real number. S409, the other way: [0115] */
void ue_tx_call_end(struct ue *ue)
{
	post(ue, "/v1/call-end", json_pack("{s:s}", "number", ue->number));
}
