#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "ims_core/hss/hss_core.h"

enum { JOB_TEXTS = 4, JOB_TRIES = 8 };

/** The user was found (NULL: not); either answer or write first */
typedef void found_fn(struct hss_job *job, const struct hss_user *user);
/** Answer: of a good result, user is as stored by now */
typedef void answer_fn(struct hss_job *job, const struct cx_result *result,
		       const struct hss_user *user);

/** A Cx request that waits for the store; owned by the HSS's list */
struct hss_job {
	struct hss_job *next, **at;
	struct hss *hss;
	struct cx_req *req;
	const char *name; /* of the command */
	found_fn *found;
	answer_fn *answer;
	union {
		struct cx_uar uar;
		struct cx_mar mar;
		struct cx_sar sar;
		struct cx_lir lir;
	};
	char *texts[JOB_TEXTS]; /* what the strings above point to */
	int text_n;
	const char *impu, *impi;
	const char *from; /* state before the write */
	int tries;
};

static const struct cx_result store_failed = {
	CX_UNABLE_TO_COMPLY, false, "the HSS could not reach its store"
};

static struct hss_job *job_new(struct hss *hss, struct cx_req *req,
			       const char *name, found_fn *found,
			       answer_fn *answer)
{
	struct hss_job *job = xcalloc(1, sizeof(*job));

	job->hss = hss;
	job->req = req;
	job->name = name;
	job->found = found;
	job->answer = answer;
	job->next = hss->jobs;
	job->at = &hss->jobs;
	if (job->next)
		job->next->at = &job->next;
	hss->jobs = job;

	return job;
}

static void job_delete(struct hss_job *job)
{
	for (int i = 0; i < job->text_n; i++)
		free(job->texts[i]);
	free(job);
}

static void job_free(struct hss_job *job)
{
	*job->at = job->next;
	if (job->next)
		job->next->at = job->at;
	job_delete(job);
}

/* The request is the codec's until the callback returns: keep a copy */
static const char *keep(struct hss_job *job, const char *text)
{
	if (text)
		job->texts[job->text_n++] = xstrdup(text);

	return text ? job->texts[job->text_n - 1] : NULL;
}

static void finish(struct hss_job *job, const struct cx_result *result,
		   const struct hss_user *user)
{
	log_info("hss %s: %s: %s", job->impu ? job->impu : job->impi, job->name,
		 cx_result_name(result));
	job->answer(job, result, user);
	job_free(job);
}

static void on_found(int err, const struct store_rows *rows, void *arg)
{
	struct hss_job *job = arg;
	struct hss_user user;
	bool is_found;

	if (err) {
		finish(job, &store_failed, NULL);
		return;
	}

	is_found = hss_row_user(&user, rows, 0);
	job->found(job, is_found ? &user : NULL);
}

static void find(struct hss_job *job)
{
	hss_store_find(job->hss, job->impu, job->impi, on_found, job);
}

/* --- what changes the registration is on disk before it is answered --- */

static void on_written(int err, const struct store_rows *rows, void *arg)
{
	struct hss_job *job = arg;
	struct cx_result success = { CX_SUCCESS, false, NULL };
	struct hss_user user;
	const char *to;

	if (err) {
		finish(job, &store_failed, NULL);
		return;
	}
	if (!hss_row_user(&user, rows, 0)) {
		/* another request changed the user between reading and
		 * writing: decide again on what is true now */
		if (++job->tries < JOB_TRIES)
			find(job);
		else
			finish(job, &store_failed, NULL);
		return;
	}

	to = hss_state_name(&user.reg);
	if (strcmp(to, job->from) != 0)
		hss_trace_state(job->hss, user.impu, job->from, to);
	finish(job, &success, &user);
}

static bool is_text_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void apply(struct hss_job *job, const struct cx_result *result,
		  const struct hss_reg *next, const struct hss_user *user)
{
	bool is_good = !result->is_experimental && result->code == CX_SUCCESS;

	if (!is_good || (next->state == user->reg.state &&
			 next->is_auth_pending == user->reg.is_auth_pending &&
			 is_text_same(next->scscf, user->reg.scscf))) {
		finish(job, result, is_good ? user : NULL);
		return;
	}

	job->from = hss_state_name(&user->reg);
	hss_store_set_reg(job->hss, user, next, on_written, job);
}

/* --- UAR --- */

static void uar_answer(struct hss_job *job, const struct cx_result *result,
		       const struct hss_user *user)
{
	struct cx_uaa uaa = { .result = *result };

	(void)user;
	cx_tx_uaa(job->req, &uaa);
}

static void uar_found(struct hss_job *job, const struct hss_user *user)
{
	struct cx_uaa uaa = { 0 };

	hss_uar(&uaa, job->hss, user, &job->uar);
	log_info("hss %s: UAR: %s", job->impu, cx_result_name(&uaa.result));
	cx_tx_uaa(job->req, &uaa);
	job_free(job);
}

static void rx_uar(struct cx_req *req, const struct cx_uar *uar, void *arg)
{
	struct hss_job *job = job_new(arg, req, "UAR", uar_found, uar_answer);

	job->uar = *uar;
	job->uar.visited_network = keep(job, uar->visited_network);
	job->impi = job->uar.impi = keep(job, uar->impi);
	job->impu = job->uar.impu = keep(job, uar->impu);
	find(job);
}

/* --- MAR --- */

static void mar_answer(struct hss_job *job, const struct cx_result *result,
		       const struct hss_user *user)
{
	struct cx_maa maa = { .result = *result };

	if (user)
		hss_mar_fill(&maa, user, &job->mar);
	cx_tx_maa(job->req, &maa);
}

static void mar_found(struct hss_job *job, const struct hss_user *user)
{
	struct cx_result result;
	struct hss_reg next = { 0 };

	hss_mar_decide(&result, &next, user, &job->mar);
	apply(job, &result, &next, user);
}

static void rx_mar(struct cx_req *req, const struct cx_mar *mar, void *arg)
{
	struct hss_job *job = job_new(arg, req, "MAR", mar_found, mar_answer);

	job->mar = *mar;
	job->mar.scheme = keep(job, mar->scheme);
	job->mar.server_name = keep(job, mar->server_name);
	job->impi = job->mar.impi = keep(job, mar->impi);
	job->impu = job->mar.impu = keep(job, mar->impu);
	find(job);
}

/* --- SAR --- */

static void sar_answer(struct hss_job *job, const struct cx_result *result,
		       const struct hss_user *user)
{
	struct cx_saa saa = { .result = *result };
	char *profile = NULL;

	if (user)
		saa.impi = user->impi;
	if (user && hss_sar_wants_profile(&job->sar)) {
		profile = hss_profile(job->hss, user, &saa.user_data_len);
		saa.user_data = profile;
	}
	cx_tx_saa(job->req, &saa);
	free(profile);
}

static void sar_found(struct hss_job *job, const struct hss_user *user)
{
	struct cx_result result;
	struct hss_reg next = { 0 };

	hss_sar_decide(&result, &next, user, &job->sar);
	apply(job, &result, &next, user);
}

static void rx_sar(struct cx_req *req, const struct cx_sar *sar, void *arg)
{
	struct hss_job *job = job_new(arg, req, "SAR", sar_found, sar_answer);

	job->sar = *sar;
	job->sar.server_name = keep(job, sar->server_name);
	job->impi = job->sar.impi = keep(job, sar->impi);
	job->impu = job->sar.impu = keep(job, sar->impu);
	find(job);
}

/* --- LIR --- */

static void lir_answer(struct hss_job *job, const struct cx_result *result,
		       const struct hss_user *user)
{
	struct cx_lia lia = { .result = *result };

	(void)user;
	cx_tx_lia(job->req, &lia);
}

static void lir_found(struct hss_job *job, const struct hss_user *user)
{
	struct cx_lia lia = { 0 };

	hss_lir(&lia, user);
	log_info("hss %s: LIR: %s", job->impu, cx_result_name(&lia.result));
	cx_tx_lia(job->req, &lia);
	job_free(job);
}

static void rx_lir(struct cx_req *req, const struct cx_lir *lir, void *arg)
{
	struct hss_job *job = job_new(arg, req, "LIR", lir_found, lir_answer);

	job->lir = *lir;
	job->impu = job->lir.impu = keep(job, lir->impu);
	if (job->impu && !strncmp(job->impu, "tel:", 4))
		hss_store_find_number(job->hss, job->impu + 4, on_found, job);
	else
		find(job);
}

/** Listen for CSCFs */
int hss_cx_open(struct hss *hss, const struct hss_cfg *cfg, char **reasonp)
{
	static const struct cx_server_ops ops = { rx_uar, rx_mar, rx_sar,
						  rx_lir };
	char *host = cfg->origin_host ? xstrdup(cfg->origin_host)
				      : xasprintf("hss.%s", cfg->realm);
	const struct cx_cfg node = { .address = cfg->diameter,
				     .origin_host = host,
				     .origin_realm = cfg->realm };
	int err = cx_server_new(&hss->cx, hss->el, &node, &ops, hss, reasonp);

	free(host);

	return err;
}

/** End, with what still waits; the store is closed */
void hss_cx_close(struct hss *hss)
{
	struct hss_job *next;

	hss->cx = cx_server_free(hss->cx);
	hss_rtr_close(hss);
	for (struct hss_job *job = hss->jobs; job; job = next) {
		next = job->next;
		job_delete(job);
	}
	hss->jobs = NULL;
}
