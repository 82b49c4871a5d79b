#include "tests/fake/fake_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/mem.h"

#define COPY(to, ...) (void)snprintf(to, sizeof(to), __VA_ARGS__)

static const char sdp[] = "Content-Type: application/sdp\n\n"
			  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
			  "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
			  "m=audio 40000 RTP/AVP 8\r\n";

void fake_call_init(struct fake_call *call, struct fake_peer *peer,
		    const char *hop, const char *from)
{
	static int n;

	memset(call, 0, sizeof(*call));
	call->peer = peer;
	call->hop = hop;
	n++;
	COPY(call->call_id, "call-%d@%s", n, fake_peer_addr(peer));
	COPY(call->local, "%s;tag=local-%d", from, n);
	COPY(call->contact, "<sip:ue@%s>", fake_peer_addr(peer));
}

/* ACK and CANCEL have their INVITE's number */
static void put_request(FILE *f, struct fake_call *call, const char *method)
{
	bool is_new = strcmp(method, "ACK") != 0;

	if (is_new)
		call->cseq++;
	call->branch++;
	fprintf(f, "%s %s SIP/2.0\n", method, call->target);
	fprintf(f, "Via: SIP/2.0/%s %s;branch=z9hG4bK-%p-%d\n",
		fake_peer_transport(call->peer), fake_peer_addr(call->peer),
		(void *)call, call->branch);
	if (call->routes[0])
		fprintf(f, "Route: %s\n", call->routes);
	fprintf(f, "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %d %s\n", call->local,
		call->remote, call->call_id, call->cseq, method);
	fprintf(f, "Max-Forwards: 70\nContact: %s\n%s", call->contact,
		call->extra);
	call->extra[0] = '\0';
}

static char *make_request(struct fake_call *call, const char *method,
			  const char *body)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	put_request(f, call, method);
	fputs(body, f);
	fclose(f);

	return text;
}

void fake_call_invite(struct fake_call *call, const char *uri)
{
	char *text;

	COPY(call->target, "%s", uri);
	if (!call->remote[0])
		COPY(call->remote, "<%s>", uri);
	text = make_request(call, "INVITE", sdp);
	COPY(call->invite, "%s", text);
	fake_peer_tx(call->peer, call->hop, text);
	free(text);
}

void fake_call_repeat(struct fake_call *call)
{
	fake_peer_tx(call->peer, call->hop, call->invite);
}

void fake_call_tx(struct fake_call *call, const char *method)
{
	char *text = make_request(call, method, "");

	fake_peer_tx(call->peer, call->hop, text);
	free(text);
}

void fake_call_ack(struct fake_call *call)
{
	fake_call_tx(call, "ACK");
}

/* RFC 3261 9.1: as the INVITE was, but for the method and the body */
void fake_call_cancel(struct fake_call *call)
{
	char text[4 * FAKE_CALL_LONG];
	const char *line = strchr(call->invite, '\n');

	snprintf(text, sizeof(text),
		 "CANCEL %.*s\nVia: %s\n%s%s%sFrom: %s\nTo: %s\n"
		 "Call-ID: %s\nCSeq: %d CANCEL\nMax-Forwards: 70\n",
		 (int)(line - call->invite - 7), call->invite + 7,
		 fake_header(call->invite, "Via", 0),
		 call->routes[0] ? "Route: " : "", call->routes,
		 call->routes[0] ? "\n" : "", call->local, call->remote,
		 call->call_id, call->cseq);
	fake_peer_tx(call->peer, call->hop, text);
}

static void take_target(struct fake_call *call, const char *text)
{
	const char *contact = fake_header(text, "Contact", 0);
	const char *uri = strchr(contact, '<');

	if (uri)
		COPY(call->target, "%.*s", (int)strcspn(uri + 1, ">"), uri + 1);
}

/* All Record-Routes in the order of the message, split at commas */
static int list_routes(char routes[][FAKE_CALL_TEXT], int max, const char *text)
{
	int n = 0;

	for (int i = 0; *fake_header(text, "Record-Route", i); i++) {
		char *line = xstrdup(fake_header(text, "Record-Route", i));
		char *save = NULL;
		char *part = strtok_r(line, ", ", &save);

		for (; part && n < max; part = strtok_r(NULL, ", ", &save))
			snprintf(routes[n++], FAKE_CALL_TEXT, "%s", part);
		free(line);
	}

	return n;
}

/* RFC 3261 12.1: the callee's route set is in the order of the request, the
 * caller's in reverse */
static void take_routes(struct fake_call *call, const char *text, bool is_uac)
{
	char routes[16][FAKE_CALL_TEXT];
	int n = list_routes(routes, 16, text);
	size_t len = 0;

	call->routes[0] = '\0';
	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(
			call->routes + len, sizeof(call->routes) - len, "%s%s",
			i ? ", " : "", routes[is_uac ? n - 1 - i : i]);
}

const char *fake_call_expect_status(struct fake_call *call, int status)
{
	char start[32];
	const char *text;

	snprintf(start, sizeof(start), "SIP/2.0 %d ", status);
	do
		text = fake_peer_expect(call->peer, "SIP/2.0 ");
	while (status >= 200 && atoi(text + strlen("SIP/2.0 ")) < 200);
	if (strncmp(text, start, strlen(start)) != 0)
		ck_abort_msg("expected %d, got:\n%s", status, text);
	if (status > 100 && status < 300 &&
	    strstr(fake_header(text, "CSeq", 0), "INVITE")) {
		take_target(call, text);
		if (strstr(call->remote, ";tag="))
			return text; /* the route set stays (12.2) */
		COPY(call->remote, "%s", fake_header(text, "To", 0));
		take_routes(call, text, true);
	}

	return text;
}

const char *fake_call_expect(struct fake_call *call, const char *method)
{
	const char *text = fake_peer_expect(call->peer, method);
	bool is_first = !strstr(fake_header(text, "To", 0), ";tag=");

	COPY(call->request, "%s", text);
	if (strcmp(method, "INVITE") != 0 || !is_first)
		return text;

	COPY(call->call_id, "%s", fake_header(text, "Call-ID", 0));
	COPY(call->remote, "%s", fake_header(text, "From", 0));
	COPY(call->local, "%s;tag=callee", fake_header(text, "To", 0));
	take_target(call, text);
	take_routes(call, text, false);

	return text;
}

static void put_copies(FILE *f, const struct fake_call *call, const char *name)
{
	for (int i = 0; *fake_header(call->request, name, i); i++)
		fprintf(f, "%s: %s\n", name,
			fake_header(call->request, name, i));
}

static void reply(struct fake_call *call, int status, const char *rest)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	char to[FAKE_CALL_TEXT];

	COPY(to, "%s", fake_header(call->request, "To", 0));
	fprintf(f, "SIP/2.0 %d Said By The Test\n", status);
	put_copies(f, call, "Via");
	if (status > 100 && status < 300)
		put_copies(f, call, "Record-Route");
	put_copies(f, call, "From");
	fprintf(f, "To: %s%s\n", to, strstr(to, ";tag=") ? "" : ";tag=callee");
	put_copies(f, call, "Call-ID");
	put_copies(f, call, "CSeq");
	fprintf(f, "Contact: %s\n%s", call->contact, rest);
	fclose(f);
	fake_peer_tx(call->peer, NULL, text);
	free(text);
}

void fake_call_reply(struct fake_call *call, int status, const char *headers)
{
	reply(call, status, headers);
}

void fake_call_answer(struct fake_call *call)
{
	reply(call, 200, sdp);
}
