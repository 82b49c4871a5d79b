#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/https.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/numrange.h"
#include "common/soap.h"
#include "ims_core/hss/hss_core.h"

#include "ims_core/hss/hss_accounts.h"

/* 100,000 accounts of a list, generously written */
enum { BODY_MAX = 32 * 1024 * 1024 };

/** Read an operation into a batch */
typedef int read_fn(struct hss_batch *batch, const struct _xmlNode *el,
		    char **reasonp);
typedef void run_fn(struct hss_batch *batch, hss_batch_cb *cb, void *arg);

/** One operation of hss.wsdl */
struct operation {
	const char *name;
	read_fn *read;
	run_fn *run;
};

/** A request that waits for its batch; req is NULL when its client left */
struct call {
	const struct operation *op;
	struct https_req *req;
};

/* --- reading --- */

/* Put the place before what numrange.h says is wrong; gives EBADMSG */
static int wrong(const struct _xmlNode *el, char *why, char **reasonp)
{
	*reasonp = xasprintf("line %ld: <%s>: %s", soap_line(el), soap_name(el),
			     why);
	free(why);

	return EBADMSG;
}

static const struct _xmlNode *child(const struct _xmlNode *el, const char *name)
{
	const struct _xmlNode *c = soap_first(el);

	while (c && strcmp(soap_name(c), name) != 0)
		c = soap_next(c);

	return c ? c : el;
}

static int check_uri(const struct hss_batch *batch, const struct _xmlNode *el,
		     const char *uri, char **reasonp)
{
	char *why = NULL;

	if (!sipuri_check(uri, batch->hss->realm, &why))
		return 0;

	return wrong(child(el, "uri"), why, reasonp);
}

static int check_password(const struct _xmlNode *el, const char *password,
			  char **reasonp)
{
	char *why = NULL;

	if (!password || !password_check(password, &why))
		return 0;

	return wrong(child(el, "password"), why, reasonp);
}

/* The rule's SIP-URIs must be of our own domain: one shows it for all */
static int check_rule(const struct hss_batch *batch, const struct _xmlNode *el,
		      const char *rule, char **reasonp)
{
	char *why = NULL;
	char *uri;
	int err = numrule_check(rule, &why);

	if (err)
		return wrong(child(el, "rule"), why, reasonp);

	uri = numrule_apply(rule, "1");
	err = sipuri_check(uri, batch->hss->realm, &why);
	free(uri);

	return err ? wrong(child(el, "rule"), why, reasonp) : 0;
}

static void add_range(struct hss_batch *batch, const struct numrange *range,
		      const char *rule)
{
	char number[NUMBER_TEXT_LEN];

	for (uint32_t i = 0; i < range->count; i++) {
		struct hss_account *a = hss_batch_add(batch);

		numrange_at(number, range, i);
		a->number = xstrdup(number);
		a->uri = numrule_apply(rule, number);
	}
}

static int read_range(struct hss_batch *batch, const struct _xmlNode *el,
		      char **reasonp)
{
	char *first, *last, *rule, *why = NULL;
	const struct soap_field fields[] = { { "first", &first, false },
					     { "last", &last, false },
					     { "rule", &rule, false },
					     { NULL, NULL, false } };
	struct numrange range;
	int err = soap_fields(el, fields, reasonp);

	if (err)
		return err;

	if (number_check(first, &why))
		err = wrong(child(el, "first"), why, reasonp);
	else if (numrange_parse(&range, first, last, &why))
		err = wrong(child(el, "last"), why, reasonp);
	else
		err = check_rule(batch, el, rule, reasonp);
	if (!err)
		add_range(batch, &range, rule);
	free(first);
	free(last);
	free(rule);

	return err;
}

static int read_account(struct hss_batch *batch, const struct _xmlNode *el,
			char **reasonp)
{
	struct hss_account *a;
	struct soap_field fields[] = { { "number", NULL, false },
				       { "uri", NULL, false },
				       { "password", NULL, true },
				       { NULL, NULL, false } };
	char *why = NULL;
	int err;

	if (strcmp(soap_name(el), "account") != 0) {
		*reasonp = xasprintf("line %ld: <%s> is not known here; "
				     "<account> was expected",
				     soap_line(el), soap_name(el));
		return EBADMSG;
	}
	if (batch->n == NUMRANGE_MAX) {
		*reasonp = xasprintf("line %ld: more than %d accounts in one "
				     "request",
				     soap_line(el), NUMRANGE_MAX);
		return EBADMSG;
	}

	a = hss_batch_add(batch);
	fields[0].textp = &a->number;
	fields[1].textp = &a->uri;
	fields[2].textp = &a->password;
	err = soap_fields(el, fields, reasonp);
	if (!err && number_check(a->number, &why))
		err = wrong(child(el, "number"), why, reasonp);
	if (!err)
		err = check_uri(batch, el, a->uri, reasonp);
	if (!err)
		err = check_password(el, a->password, reasonp);

	return err;
}

static int read_list(struct hss_batch *batch, const struct _xmlNode *el,
		     char **reasonp)
{
	const struct _xmlNode *c = soap_first(el);
	int err = 0;

	if (!c) {
		*reasonp = xasprintf("line %ld: <%s> has no <account>",
				     soap_line(el), soap_name(el));
		return EBADMSG;
	}
	for (; c && !err; c = soap_next(c))
		err = read_account(batch, c, reasonp);

	return err;
}

static int read_close(struct hss_batch *batch, const struct _xmlNode *el,
		      char **reasonp)
{
	struct hss_account *a = hss_batch_add(batch);
	const struct soap_field fields[] = { { "uri", &a->uri, false },
					     { NULL, NULL, false } };
	int err = soap_fields(el, fields, reasonp);

	return err ? err : check_uri(batch, el, a->uri, reasonp);
}

static int read_change(struct hss_batch *batch, const struct _xmlNode *el,
		       char **reasonp)
{
	struct hss_account *a = hss_batch_add(batch);
	const struct soap_field fields[] = { { "uri", &a->uri, false },
					     { "password", &a->password, true },
					     { NULL, NULL, false } };
	int err = soap_fields(el, fields, reasonp);

	if (!err)
		err = check_uri(batch, el, a->uri, reasonp);

	return err ? err : check_password(el, a->password, reasonp);
}

static const struct operation operations[] = {
	{ "OpenAccountsByRange", read_range, hss_accounts_open },
	{ "OpenAccountsByList", read_list, hss_accounts_open },
	{ "CloseAccount", read_close, hss_accounts_close },
	{ "ChangePassword", read_change, hss_accounts_change },
};

static const struct operation *find_operation(const struct _xmlNode *el)
{
	size_t n = sizeof(operations) / sizeof(operations[0]);

	if (strcmp(soap_namespace(el), SOAP_PROVISIONING_NS) != 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(operations[i].name, soap_name(el)))
			return &operations[i];

	return NULL;
}

/* --- answering --- */

static void reply_fault(struct https_req *req, enum soap_code code,
			const char *text)
{
	size_t len;
	char *body = soap_fault(code, text, &len);

	log_warn("hss provisioning: refused: %s", text);
	/* SOAP 1.1 6.2: a Fault goes with 500 */
	https_reply(req, 500, SOAP_TYPE, body, len);
	free(body);
}

static void put_count(struct soap_out *out, const char *name, size_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", n);
	soap_out_put(out, name, text);
}

static char *write_report(const struct operation *op,
			  const struct hss_batch *batch, size_t *lenp)
{
	char *name = xasprintf("%sResponse", op->name);
	struct soap_out *out = soap_out_new(SOAP_PROVISIONING_NS, name);

	put_count(out, "done", batch->done_n);
	put_count(out, "refused", batch->n - batch->done_n);
	for (size_t i = 0; i < batch->n; i++) {
		const struct hss_account *a = &batch->v[i];

		soap_out_open(out, "account");
		soap_out_put(out, "number", a->number);
		soap_out_put(out, "uri", a->uri);
		soap_out_put(out, "impi", a->impi);
		soap_out_put(out, "password", a->password);
		soap_out_put(out, "status", a->status);
		soap_out_close(out);
	}
	free(name);

	return soap_out_done(out, lenp);
}

static void reply_trouble(struct https_req *req, int err)
{
	char *text;

	if (err == EIO) {
		reply_fault(req, SOAP_SERVER,
			    "the HSS could not reach its store; nothing was "
			    "changed, try again");
		return;
	}
	text = xasprintf("the account is changed, but the S-CSCF that has the "
			 "user has not confirmed that the user is out: %s; "
			 "try again",
			 strerror(err));
	reply_fault(req, SOAP_SERVER, text);
	free(text);
}

static void on_done(int err, struct hss_batch *batch, void *arg)
{
	struct call *call = arg;
	size_t len;
	char *body;

	log_info("hss provisioning: %s: %zu done, %zu not", call->op->name,
		 batch->done_n, batch->n - batch->done_n);
	if (call->req && err) {
		reply_trouble(call->req, err);
	} else if (call->req) {
		body = write_report(call->op, batch, &len);
		https_reply(call->req, 200, SOAP_TYPE, body, len);
		explicit_bzero(body, len);
		free(body);
	}
	free(call);
}

/* The batch goes on: its client may ask again and is told "exists" */
static void on_gone(void *arg)
{
	struct call *call = arg;

	log_warn("hss provisioning: %s: the client left before its answer",
		 call->op->name);
	call->req = NULL;
}

static void run(struct hss *hss, struct https_req *req,
		const struct _xmlNode *el)
{
	const struct operation *op = find_operation(el);
	struct hss_batch *batch;
	struct call *call;
	char *reason = NULL;

	if (!op) {
		reason = xasprintf(
			"line %ld: <%s> of \"%s\" is no operation "
			"of this service; see GET /provisioning?wsdl",
			soap_line(el), soap_name(el), soap_namespace(el));
		reply_fault(req, SOAP_CLIENT, reason);
		free(reason);
		return;
	}

	batch = hss_batch_new(hss);
	if (op->read(batch, el, &reason)) {
		reply_fault(req, SOAP_CLIENT, reason);
		free(reason);
		hss_batch_free(batch);
		return;
	}

	call = xcalloc(1, sizeof(*call));
	call->op = op;
	call->req = req;
	https_req_on_gone(req, on_gone, call);
	op->run(batch, on_done, call);
}

static bool may_provision(const struct hss *hss, struct https_req *req)
{
	const char *name = https_req_peer_name(req);

	if (!*hss->soap_client || (name && !strcmp(name, hss->soap_client)))
		return true;

	log_warn("hss provisioning: client %s refused", name ? name : "-");
	https_reply_error(req, 403,
			  "client certificate of %s: only %s may provision",
			  name ? name : "nobody", hss->soap_client);

	return false;
}

static void rx_post(struct https_req *req, void *arg)
{
	struct hss *hss = arg;
	const char *type = https_req_header(req, "Content-Type");
	struct soap *soap = NULL;
	enum soap_code code;
	char *reason = NULL;
	const char *body;
	size_t len;

	if (!may_provision(hss, req))
		return;
	if (!type || strncasecmp(type, "text/xml", strlen("text/xml")) != 0) {
		https_reply_error(req, 415,
				  "Content-Type is %s; SOAP 1.1 is text/xml",
				  type ? type : "missing");
		return;
	}

	body = https_req_body(req, &len);
	if (soap_parse(&soap, body, len, &code, &reason))
		reply_fault(req, code, reason);
	else
		run(hss, req, soap_operation(soap));
	free(reason);
	soap_free(soap);
}

static void rx_get(struct https_req *req, void *arg)
{
	(void)arg;
	https_reply(req, 200, SOAP_TYPE, hss_wsdl, strlen(hss_wsdl));
}

/** Listen for the BOSS, which must show a certificate */
int hss_soap_open(struct hss *hss, const struct hss_cfg *cfg, char **reasonp)
{
	static const struct https_route routes[] = {
		{ "POST", "/provisioning", rx_post },
		{ "GET", "/provisioning", rx_get },
		{ NULL, NULL, NULL },
	};
	const struct https_server_cfg server = { .listen = cfg->soap,
						 .cert_file = cfg->cert,
						 .ca_file = cfg->ca,
						 .body_max = BODY_MAX };

	return https_server_new(&hss->https, hss->el, &server, routes, hss,
				reasonp);
}

/** End, with what still waits; the store is closed */
void hss_soap_close(struct hss *hss)
{
	hss->https = https_server_free(hss->https);
	while (hss->batches) {
		free(hss->batches->arg);
		hss_batch_free(hss->batches);
	}
}
