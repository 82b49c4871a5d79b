#include "tests/fake/fake_trace.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/dia_msg.h"
#include "common/mem.h"

static const char *const proto_names[] = { "sip", "diameter", "http" };

static const struct {
	const char *actor, *host;
} hosts[] = { { "pcscf", "127.1.1.1" },     { "icscf", "127.1.1.2" },
	      { "scscf", "127.1.1.3" },     { "hss", "127.1.1.4" },
	      { "appserver", "127.1.2.1" }, { "platform", "127.1.2.2" },
	      { "boss", "127.1.2.3" },      { "appserver2", "127.1.2.4" },
	      { "terminal", "127.1.3.1" } };

static const char *host_of(const char *actor)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		if (!strcmp(hosts[i].actor, actor))
			return hosts[i].host;
	}

	return "192.0.2.9"; /* a foreign box */
}

/* Clients of TCP have ports of their own, one for each actor */
static int port_of(const char *actor, enum trace_proto proto)
{
	bool is_server = proto == TRACE_HTTP
				 ? !strcmp(actor, "appserver") ||
					   !strcmp(actor, "hss") ||
					   !strcmp(actor, "platform")
				 : !strcmp(actor, "hss");

	if (proto == TRACE_SIP)
		return 5060;
	if (is_server)
		return proto == TRACE_HTTP ? 8443 : 3868;

	return 40000 + (int)strlen(actor);
}

/** "127.1.1.1:5060": a static buffer of four */
const char *fake_trace_address(const char *actor, enum trace_proto proto)
{
	static char text[4][32];
	static int n;

	n = (n + 1) % 4;
	(void)snprintf(text[n], sizeof(text[n]), "%s:%d", host_of(actor),
		       port_of(actor, proto));

	return text[n];
}

static json_t *hex(const unsigned char *data, size_t len)
{
	char *text = xcalloc(2, len + 1);
	json_t *value;

	for (size_t i = 0; i < len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", data[i]);
	value = json_string(text);
	free(text);

	return value;
}

static json_t *make_line(const struct fake_msg *msg, bool is_send)
{
	const char *actor = is_send ? msg->from : msg->to;
	const char *peer = is_send ? msg->to : msg->from;
	const char *transport = msg->transport             ? msg->transport
				: msg->proto == TRACE_SIP  ? "udp"
				: msg->proto == TRACE_HTTP ? "tls"
							   : "tcp";
	json_t *line = json_pack(
		"{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "t",
		(json_int_t)msg->t_us + (is_send ? 0 : 100), "actor", actor,
		"kind", "msg", "proto", proto_names[msg->proto], "dir",
		is_send ? "send" : "recv", "transport", transport, "local",
		fake_trace_address(actor, msg->proto), "remote",
		fake_trace_address(peer, msg->proto));
	json_t *text = msg->proto == TRACE_DIAMETER
			       ? NULL
			       : json_stringn(msg->data, msg->len);

	if (text)
		json_object_set_new(line, "text", text);
	else
		json_object_set_new(line, "hex", hex(msg->data, msg->len));

	return line;
}

void fake_trace_msg(json_t *lines, const struct fake_msg *msg)
{
	if (msg->ends & FAKE_SENT)
		json_array_append_new(lines, make_line(msg, true));
	if (msg->ends & FAKE_RECEIVED)
		json_array_append_new(lines, make_line(msg, false));
}

void fake_trace_event(json_t *lines, int64_t t_us, const char *actor,
		      const char *name, json_t *fields)
{
	json_t *line = json_pack("{s:I, s:s, s:s, s:s}", "t", (json_int_t)t_us,
				 "actor", actor, "kind", "event", "name", name);

	if (fields)
		json_object_update_missing(line, fields);
	json_decref(fields);
	json_array_append_new(lines, line);
}

/** One row of the script. SIP: start line, branch, CSeq, more headers. HTTP:
 * start line, type and body. Cx: command, hop-by-hop. Event: name */
struct row {
	const char *id, *from, *to;
	enum trace_proto proto;
	int number; /**< CSeq, or hop-by-hop */
	const char *start, *more, *body;
	const char *branch;
	uint32_t code, flags;
};

#define SOAP(op)                                                               \
	"<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap"  \
	".org/soap/envelope/\"><e:Body><" op " xmlns=\"urn:x\"/></e:Body>"     \
	"</e:Envelope>"
#define XML "Content-Type: text/xml; charset=utf-8\r\n"
#define JSON "Content-Type: application/json\r\n"
#define LEASE "{\"uri\":\"" FAKE_IMPU "\",\"lease_id\":1,\"password\":\"p\"}"
#define WHO "{\"number\":\"+8613800138000\"}"
#define REG "REGISTER sip:ims.test SIP/2.0"
#define AUTH0 "Authorization: Digest username=\"u\", response=\"\"\r\n"
#define AUTH                                                                   \
	"Authorization: Digest username=\"u\", realm=\"ims.test\", "           \
	"nonce=\"n\", uri=\"sip:ims.test\", response=\"0123456789"             \
	"abcdef0123456789abcdef\"\r\n"
#define ON "Contact: <sip:u@127.1.3.1:5060>;expires=600\r\n"
#define OFF "Contact: <sip:u@127.1.2.2:5060>\r\nExpires: 0\r\n"
#define OK "SIP/2.0 200 OK"
#define NO "SIP/2.0 401 Unauthorized"
#define HTTP_OK "HTTP/1.1 200 OK"
#define SIPM(n, line, headers, b)                                              \
	.proto = TRACE_SIP, .number = (n), .start = (line), .more = (headers), \
	.branch = (b)
#define CX .proto = TRACE_DIAMETER
#define WEB(line, headers, text)                                               \
	.proto = TRACE_HTTP, .start = (line), .more = (headers), .body = (text)

/* a table */
/* clang-format off */
static const struct row script[] = {
	{ "S401/range", "boss", "hss", WEB("POST /provisioning HTTP/1.1", XML, SOAP("OpenAccountsByRange")) },
	{ "soap-answer", "hss", "boss", WEB(HTTP_OK, XML, SOAP("OpenAccountsByRangeResponse")) },
	{ "S401/list", "boss", "hss", WEB("POST /provisioning HTTP/1.1", XML, SOAP("OpenAccountsByList")) },
	{ "soap-answer", "hss", "boss", WEB(HTTP_OK, XML, SOAP("OpenAccountsByListResponse")) },
	{ "S401/file", "boss", NULL, .start = "boss.pool-file-written" },
	{ "S401/import", "platform", NULL, .start = "platform.pool-imported" },
	{ "S401/message", "boss", "platform", WEB("PUT /v1/pool HTTP/1.1", JSON, "{\"accounts\":[]}") },
	{ "pool-answer", "platform", "boss", WEB(HTTP_OK, JSON, "{\"added\":0}") },
	{ "S402", "terminal", "appserver", WEB("POST /v1/login HTTP/1.1", JSON, "{\"number\":\"+8613800138000\",\"secret\":\"s\"}") },
	{ "login-answer", "appserver", "terminal", WEB(HTTP_OK, JSON, "{\"token\":\"t\"}") },
	{ "S403", "terminal", "appserver", WEB("POST /v1/sip-uri HTTP/1.1", JSON, WHO) },
	{ "S404", "appserver", "platform", WEB("POST /v1/leases HTTP/1.1", "Content-Length: 0\r\n", "") },
	{ "S405", "platform", NULL, .start = "platform.selected" },
	{ "S406", "platform", "appserver", WEB("HTTP/1.1 201 Created", JSON, LEASE) },
	{ "S407/binding", "appserver", NULL, .start = "as.bound" },
	{ "S407/answer", "appserver", "terminal", WEB(HTTP_OK, JSON, LEASE) },
	{ "S501", "terminal", "pcscf", SIPM(1, REG, ON AUTH0, "t1") },
	{ "S502", "pcscf", "icscf", SIPM(1, REG, ON AUTH0, "p1") },
	{ "S503", "icscf", "hss", CX, .number = 1, .code = 300, .flags = 0xc0 },
	{ "S504", "hss", "icscf", CX, .number = 1, .code = 300, .flags = 0x40 },
	{ "S505", "icscf", "scscf", SIPM(1, REG, ON AUTH0, "i1") },
	{ "S506", "scscf", "hss", CX, .number = 1, .code = 303, .flags = 0xc0 },
	{ "S507", "hss", "scscf", CX, .number = 1, .code = 303, .flags = 0x40 },
	{ "S508", "scscf", "icscf", SIPM(1, NO, "", "i1") },
	{ "S509", "icscf", "pcscf", SIPM(1, NO, "", "p1") },
	{ "S510", "pcscf", "terminal", SIPM(1, NO, "", "t1") },
	{ "S511", "terminal", "pcscf", SIPM(2, REG, ON AUTH, "t2") },
	{ "S512", "pcscf", "icscf", SIPM(2, REG, ON AUTH, "p2") },
	{ "S513", "icscf", "hss", CX, .number = 2, .code = 300, .flags = 0xc0 },
	{ "S514", "hss", "icscf", CX, .number = 2, .code = 300, .flags = 0x40 },
	{ "S515", "icscf", "scscf", SIPM(2, REG, ON AUTH, "i2") },
	{ "S516/query", "scscf", "hss", CX, .number = 2, .code = 301, .flags = 0xc0 },
	{ "S516/answer", "hss", "scscf", CX, .number = 2, .code = 301, .flags = 0x40 },
	{ "S517", "scscf", "icscf", SIPM(2, OK, ON, "i2") },
	{ "S520", "scscf", "appserver", SIPM(71, REG, ON, "s1") },
	{ "S518", "icscf", "pcscf", SIPM(2, OK, ON, "p2") },
	{ "S521", "appserver", "scscf", SIPM(71, OK, ON, "s1") },
	{ "S519", "pcscf", "terminal", SIPM(2, OK, ON, "t2") },
	{ "S409/release", "terminal", "appserver", WEB("POST /v1/release HTTP/1.1", JSON, WHO) },
	{ "S410", "appserver", "platform", WEB("DELETE /v1/leases/1 HTTP/1.1", JSON, LEASE) },
	{ "S411", "platform", "appserver", WEB(HTTP_OK, JSON, "{}") },
	{ "S412/release", "appserver", "terminal", WEB(HTTP_OK, JSON, "{}") },
	{ "S413", "platform", "pcscf", SIPM(81, REG, OFF, "d1") },
	{ "off-1", "pcscf", "icscf", SIPM(81, REG, OFF, "e1") },
	{ "off-uar", "icscf", "hss", CX, .number = 3, .code = 300, .flags = 0xc0 },
	{ "off-uaa", "hss", "icscf", CX, .number = 3, .code = 300, .flags = 0x40 },
	{ "off-401", "icscf", "pcscf", SIPM(81, NO, "", "e1") },
	{ "off-401", "pcscf", "platform", SIPM(81, NO, "", "d1") },
	{ "off-2", "platform", "pcscf", SIPM(82, REG, OFF AUTH, "d2") },
	{ "S414", "pcscf", "platform", SIPM(82, OK, "", "d2") },
};
/* clang-format on */
enum { SCRIPT_N = sizeof(script) / sizeof(*script) };

/* Three registrations of three clients: told apart by tens of their CSeq */
static char *sip_text(const struct row *row)
{
	return xasprintf("%s\r\nVia: SIP/2.0/UDP 127.1.3.1;branch=z9hG4bK%s\r\n"
			 "From: <" FAKE_IMPU ">;tag=f\r\nTo: <" FAKE_IMPU
			 ";x=y>\r\nCall-ID: call-%d\r\nCSeq: %d REGISTER\r\n"
			 "Max-Forwards: 70\r\n%sContent-Length: 0\r\n\r\n",
			 row->start, row->branch, row->number / 10, row->number,
			 row->more);
}

static char *http_text(const struct row *row)
{
	if (!row->body[0])
		return xasprintf("%s\r\nHost: x\r\n%s\r\n", row->start,
				 row->more);

	return xasprintf("%s\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s",
			 row->start, row->more, strlen(row->body), row->body);
}

/* A message as far as a dissector wants one: identities and a result */
static void cx_bytes(struct dia_build *b, const struct row *row)
{
	struct dia_msg head = { .version = 1,
				.flags = (uint8_t)row->flags,
				.code = row->code,
				.application = DIA_APP_CX,
				.hop_by_hop = (uint32_t)row->number,
				.end_to_end = row->code };

	dia_build_start(b, &head);
	dia_put_text(b, AVP_SESSION_ID, "icscf;1;1");
	dia_put_text(b, AVP_ORIGIN_HOST, "icscf.ims.test");
	dia_put_text(b, AVP_ORIGIN_REALM, "ims.test");
	if (row->flags & DIA_REQUEST)
		dia_put_text(b, AVP_PUBLIC_IDENTITY, FAKE_IMPU);
	else
		dia_put_u32(b, AVP_RESULT_CODE, DIA_SUCCESS);
	(void)dia_build_end(b);
}

void fake_trace_cx(json_t *lines, const struct fake_msg *msg, uint32_t code)
{
	const struct row row = { .number = (int)(msg->t_us % 1000000),
				 .code = code,
				 .flags = DIA_PROXIABLE |
					  (!strcmp(msg->to, "hss") ? DIA_REQUEST
								   : 0u) };
	struct fake_msg whole = *msg;
	struct dia_build b = { 0 };

	cx_bytes(&b, &row);
	whole.proto = TRACE_DIAMETER;
	whole.data = b.data;
	whole.len = b.len;
	fake_trace_msg(lines, &whole);
	dia_build_clear(&b);
}

static void put_row(json_t *lines, const struct row *row, int64_t t_us,
		    enum fake_ends ends)
{
	struct fake_msg msg = { .t_us = t_us,
				.proto = row->proto,
				.from = row->from,
				.to = row->to,
				.ends = ends };
	struct dia_build b = { 0 };
	char *text = NULL;

	if (!row->to) {
		fake_trace_event(lines, t_us, row->from, row->start,
				 json_pack("{s:s}", "uri", FAKE_IMPU));
		return;
	}

	if (row->proto == TRACE_DIAMETER) {
		cx_bytes(&b, row);
		msg.data = b.data;
		msg.len = b.len;
	} else {
		text = row->proto == TRACE_SIP ? sip_text(row) : http_text(row);
		msg.data = text;
		msg.len = strlen(text);
	}
	fake_trace_msg(lines, &msg);
	dia_build_clear(&b);
	free(text);
}

static bool is_listed(const char *list, const char *id)
{
	const char *p = list ? strstr(list, id) : NULL;

	return p && (p[strlen(id)] == ' ' || !p[strlen(id)]);
}

json_t *fake_trace_patent(const char *skip, const char *alone)
{
	json_t *lines = json_array();

	for (int i = 0; i < SCRIPT_N; i++) {
		if (!is_listed(skip, script[i].id))
			put_row(lines, &script[i], 1000000 + 1000 * i,
				is_listed(alone, script[i].id) ? FAKE_SENT
							       : FAKE_BOTH);
	}

	return lines;
}

int64_t fake_trace_time(const char *id)
{
	for (int i = 0; i < SCRIPT_N; i++) {
		if (!strcmp(script[i].id, id))
			return 1000000 + 1000 * i;
	}

	return -1;
}

struct sim_trace *fake_trace_load(json_t *lines)
{
	struct sim_trace *tr = sim_trace_new();
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		if (sim_trace_add(tr, line))
			abort();
	}
	sim_trace_finish(tr);
	json_decref(lines);

	return tr;
}

size_t fake_trace_find(const struct sim_label *lb, const char *ids)
{
	size_t n = sim_trace_count(sim_label_trace(lb)), i = 0;

	while (i < n && strcmp(sim_label_ids(lb, i), ids) != 0)
		i++;

	return i;
}
