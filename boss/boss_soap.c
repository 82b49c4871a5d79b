#include <stdlib.h>
#include <string.h>

#include "boss/boss_core.h"
#include "common/https.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/soap.h"

enum { REASON_LEN = 256 };

/** An operation that waits for its report; owned by the BOSS's list */
struct boss_op {
	struct boss_op *next, **at;
	struct boss *boss;
	const char *name;
	boss_report_cb *cb;
	void *arg;
};

static struct boss_op *op_new(struct boss *boss, const char *name,
			      boss_report_cb *cb, void *arg)
{
	struct boss_op *op = xcalloc(1, sizeof(*op));

	op->boss = boss;
	op->name = name;
	op->cb = cb;
	op->arg = arg;
	op->next = boss->ops;
	op->at = &boss->ops;
	if (op->next)
		op->next->at = &op->next;
	boss->ops = op;

	return op;
}

static void op_free(struct boss_op *op)
{
	*op->at = op->next;
	if (op->next)
		op->next->at = op->at;
	free(op);
}

/** End what is under way; the HTTPS client is gone, and who waited, too */
void boss_soap_free_ops(struct boss *boss)
{
	struct boss_op *next;

	for (struct boss_op *op = boss->ops; op; op = next) {
		next = op->next;
		op_free(op);
	}
}

/* --- the report --- */

static int read_row(struct boss_list *report, const struct _xmlNode *el,
		    char **reasonp)
{
	struct boss_account *a = boss_list_add(report);
	const struct soap_field fields[] = { { "number", &a->number, true },
					     { "uri", &a->uri, false },
					     { "impi", &a->impi, true },
					     { "password", &a->password, true },
					     { "status", &a->status, false },
					     { NULL, NULL, false } };

	return soap_fields(el, fields, reasonp);
}

static int read_report(struct boss_list *report, const struct soap *soap,
		       const char *name, char **reasonp)
{
	const struct _xmlNode *el = soap_operation(soap);
	char *expected = xasprintf("%sResponse", name);
	int err = strcmp(soap_name(el), expected);

	if (err)
		*reasonp = xasprintf("line %ld: <%s> came; <%s> was expected",
				     soap_line(el), soap_name(el), expected);
	for (el = soap_first(el); el && !err; el = soap_next(el))
		if (!strcmp(soap_name(el), "account"))
			err = read_row(report, el, reasonp);
	free(expected);

	return err;
}

/* Read what came; gives why it is no report, the caller's, or NULL */
static char *read_answer(struct boss_list *report, const struct boss_op *op,
			 const struct https_resp *resp)
{
	char text[REASON_LEN];
	struct soap *soap = NULL;
	enum soap_code code;
	char *why = NULL;

	/* a Fault comes with 500 (SOAP 1.1 6.2); all else is not SOAP */
	if (resp->status != 200 && resp->status != 500)
		return xstrdup(https_resp_reason(resp, text, sizeof(text)));

	if (!soap_parse(&soap, resp->body, resp->len, &code, &why) &&
	    !soap_is_fault(soap, &why))
		(void)read_report(report, soap, op->name, &why);
	soap_free(soap);

	return why;
}

/* An answer that is a Fault (500) or no SOAP at all says that nothing was
 * done. A report that cannot be read says nothing */
static void on_answer(const struct https_resp *resp, void *arg)
{
	static const struct boss_list nothing;
	bool is_refused = resp->status && resp->status != 200;
	struct boss_op *op = arg;
	struct boss_list report = { 0 };
	char *why = read_answer(&report, op, resp);
	char *error;

	if (why) {
		error = resp->status
				? xasprintf("%s refused by %s: %s", op->name,
					    op->boss->hss_url, why)
				: xasprintf("%s: %s", op->name, why);
		log_warn("boss: %s", error);
		op->cb(is_refused ? &nothing : NULL, error, op->arg);
		free(error);
	} else {
		op->cb(&report, NULL, op->arg);
	}
	free(why);
	boss_list_clear(&report);
	op_free(op);
}

/* Send the envelope, which ends with this */
static void send(struct boss_op *op, struct soap_out *out)
{
	size_t len;
	char *body = soap_out_done(out, &len);
	const struct https_call call = {
		.method = "POST",
		.url = op->boss->hss_url,
		.type = SOAP_TYPE,
		.headers = { "SOAPAction", "\"\"", NULL },
		.body = body,
		.len = len,
	};

	https_client_call(op->boss->https, &call, on_answer, op);
	explicit_bzero(body, len);
	free(body);
}

/* --- operations --- */

/** OpenAccountsByRange */
void boss_soap_open_range(struct boss *boss, const struct boss_range *range,
			  boss_report_cb *cb, void *arg)
{
	struct boss_op *op = op_new(boss, "OpenAccountsByRange", cb, arg);
	struct soap_out *out = soap_out_new(SOAP_PROVISIONING_NS, op->name);

	soap_out_put(out, "first", range->first);
	soap_out_put(out, "last", range->last);
	soap_out_put(out, "rule", range->rule);
	send(op, out);
}

/** OpenAccountsByList */
void boss_soap_open_list(struct boss *boss, const struct boss_list *list,
			 boss_report_cb *cb, void *arg)
{
	struct boss_op *op = op_new(boss, "OpenAccountsByList", cb, arg);
	struct soap_out *out = soap_out_new(SOAP_PROVISIONING_NS, op->name);

	for (size_t i = 0; i < list->n; i++) {
		soap_out_open(out, "account");
		soap_out_put(out, "number", list->v[i].number);
		soap_out_put(out, "uri", list->v[i].uri);
		soap_out_put(out, "password", list->v[i].password);
		soap_out_close(out);
	}
	send(op, out);
}

/** CloseAccount */
void boss_soap_close(struct boss *boss, const char *uri, boss_report_cb *cb,
		     void *arg)
{
	struct boss_op *op = op_new(boss, "CloseAccount", cb, arg);
	struct soap_out *out = soap_out_new(SOAP_PROVISIONING_NS, op->name);

	soap_out_put(out, "uri", uri);
	send(op, out);
}

/** ChangePassword; NULL: the HSS makes one */
void boss_soap_change(struct boss *boss, const char *uri, const char *password,
		      boss_report_cb *cb, void *arg)
{
	struct boss_op *op = op_new(boss, "ChangePassword", cb, arg);
	struct soap_out *out = soap_out_new(SOAP_PROVISIONING_NS, op->name);

	soap_out_put(out, "uri", uri);
	soap_out_put(out, "password", password);
	send(op, out);
}
