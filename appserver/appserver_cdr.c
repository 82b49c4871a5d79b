/* Charging ([0087]): a record per call, under the real number. Where there are
 * several AS, the caller's writes the originating one, which is charged; the
 * callee's, if that is another, a terminating one of the same icid (TS 32.260).
 *
 * Its row is written before the callee is invited, and completed when the call
 * ends. A row that is open when the AS starts is of a call that an earlier run
 * left behind: it is completed with the cause as-restart, and charged up to
 * when the call was last known to be up (timer cdr-interim). The file is made
 * anew from the rows at each start, so that no record is lost or stands twice;
 * a store in memory has no rows from before, and the file is appended to. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appserver/appserver_binding.h"
#include "appserver/appserver_call.h"
#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/store.h"
#include "common/trace.h"

#define COLUMNS                                                                \
	"id, call_id, start, answer, \"end\", status, cause, uri, number,"     \
	" lease_id, callee_uri, callee_number, callee_lease_id, role, icid"

/** Free; NULL */
struct as_cdr *as_cdr_free(struct as_cdr *cdr)
{
	if (!cdr)
		return NULL;

	for (int side = AS_NEAR; side < AS_SIDE_N; side++)
		as_party_clear(&cdr->party[side]);
	free(cdr->call_id);
	free(cdr->icid);
	free(cdr);

	return NULL;
}

static const char *const roles[] = { [AS_PASSING] = "passing",
				     [AS_ORIGINATING] = "originating",
				     [AS_TERMINATING] = "terminating" };

static int64_t duration_ms(const struct as_cdr *cdr)
{
	return cdr->answer_ms ? cdr->end_ms - cdr->answer_ms : 0;
}

/* ---- the file: RFC 4180 ---- */

static const char header[] =
	"call_id,start,answer,end,duration_ms,cause,status,lease_id,uri,"
	"number,callee_uri,callee_number,callee_lease_id,role,icid\r\n";

static void put_text(FILE *f, const char *text)
{
	if (!text)
		return;
	if (!text[strcspn(text, "\",\r\n")]) {
		(void)fputs(text, f);
		return;
	}
	(void)fputc('"', f);
	for (; *text; text++) {
		if (*text == '"')
			(void)fputc('"', f);
		(void)fputc(*text, f);
	}
	(void)fputc('"', f);
}

static void put_time(FILE *f, int64_t ms)
{
	if (ms)
		fprintf(f, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
}

static void put_lease(FILE *f, int64_t lease_id)
{
	if (lease_id)
		fprintf(f, "%" PRId64, lease_id);
}

static void put_line(FILE *f, const struct as_cdr *cdr)
{
	const int64_t times[] = { cdr->start_ms, cdr->answer_ms, cdr->end_ms };
	const struct as_party *near = &cdr->party[AS_NEAR];
	const struct as_party *far = &cdr->party[AS_FAR];
	const char *const texts[] = { near->uri, near->number, far->uri,
				      far->number };

	put_text(f, cdr->call_id);
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		(void)fputc(',', f);
		put_time(f, times[i]);
	}
	fprintf(f, ",%" PRId64 ",%s,%d,", duration_ms(cdr), cdr->cause,
		cdr->status);
	put_lease(f, near->lease_id);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		(void)fputc(',', f);
		put_text(f, texts[i]);
	}
	(void)fputc(',', f);
	put_lease(f, far->lease_id);
	fprintf(f, ",%s,", roles[cdr->role]);
	put_text(f, cdr->icid);
	(void)fputs("\r\n", f);
}

static void complain(const struct appserver *as)
{
	log_error("appserver: --cdr %s: %s; the records are in the store",
		  as->cdr_path, strerror(errno));
}

/* ---- a completed record ---- */

static json_t *party_json(const struct as_cdr *cdr)
{
	const struct as_party *near = &cdr->party[AS_NEAR];
	const struct as_party *far = &cdr->party[AS_FAR];

	return json_pack("{s:s, s:s?, s:I, s:s, s:s?, s:I}", "uri", near->uri,
			 "number", near->number, "lease_id",
			 (json_int_t)near->lease_id, "callee_uri", far->uri,
			 "callee_number", far->number, "callee_lease_id",
			 (json_int_t)far->lease_id);
}

static void tell(const struct as_cdr *cdr)
{
	json_t *fields = party_json(cdr);

	(void)json_object_update_new(
		fields,
		json_pack("{s:s, s:f, s:f, s:f, s:I, s:s, s:i, s:s, s:s?}",
			  "call_id", cdr->call_id, "start",
			  (double)cdr->start_ms / 1000, "answer",
			  (double)cdr->answer_ms / 1000, "end",
			  (double)cdr->end_ms / 1000, "duration_ms",
			  (json_int_t)duration_ms(cdr), "cause", cdr->cause,
			  "status", cdr->status, "role", roles[cdr->role],
			  "icid", cdr->icid));
	trace_event(cdr->as->el->trace, "as.cdr", fields);
}

/* On disk: now it may be seen */
static void on_ended(int err, const struct store_rows *rows, void *arg)
{
	struct as_cdr *cdr = arg;
	struct appserver *as = cdr->as;
	struct as_cdr **p = &as->ended;

	(void)rows;
	while (*p != cdr)
		p = &(*p)->next;
	*p = cdr->next;
	if (err)
		log_error("appserver: the record of the call %s is not on "
			  "disk",
			  cdr->call_id);
	tell(cdr);
	if (as->cdr) {
		put_line(as->cdr, cdr);
		if (fflush(as->cdr))
			complain(as);
	}
	as_cdr_free(cdr);
	if (as->is_stopping && !as->ended)
		element_stop(as->el);
}

static void complete(struct as_cdr *cdr)
{
	const struct store_val vals[] = { STORE_I(cdr->id),
					  STORE_I(cdr->end_ms),
					  STORE_I(cdr->status),
					  STORE_S(cdr->cause) };
	const struct store_stmt stmt = {
		"UPDATE calls SET \"end\" = ?2, status = ?3, cause = ?4"
		" WHERE id = ?1",
		vals, 4
	};

	cdr->next = cdr->as->ended;
	cdr->as->ended = cdr;
	store_run(cdr->as->store, &stmt, 1, on_ended, cdr);
}

/**
 * The call has ended: now, with this
 *
 * @param cdr   Taken over
 * @param cause "normal", "cancelled", "busy", "lease-limit", …
 */
void as_cdr_end(struct as_cdr *cdr, int status, const char *cause)
{
	cdr->end_ms = as_wall_ms();
	cdr->status = status;
	snprintf(cdr->cause, sizeof(cdr->cause), "%s", cause);
	if (cdr->role == AS_PASSING)
		as_cdr_free(cdr);
	else
		complete(cdr);
}

/* ---- an open record ---- */

static void on_kept(int err, const struct store_rows *rows, void *arg)
{
	struct as_call *call = arg;

	(void)rows;
	call->pending--;
	if (call->is_over)
		as_call_over(call);
	else if (call->cdr)
		as_call_tell(call, AS_CALL_EV_KEPT, &err);
}

/* AS_CALL_EV_KEPT follows; of a call of others' there is nothing to keep */
static void keep(struct as_call *call, const struct store_stmt *stmt)
{
	call->pending++;
	store_run(call->as->store, stmt, call->cdr->role != AS_PASSING, on_kept,
		  call);
}

/** A call begins; AS_CALL_EV_KEPT follows */
void as_cdr_begin(struct as_call *call)
{
	const struct as_cdr *cdr = call->cdr;
	const struct as_party *near = &cdr->party[AS_NEAR];
	const struct as_party *far = &cdr->party[AS_FAR];
	const struct store_val vals[] = {
		STORE_I(cdr->id),       STORE_S(cdr->call_id),
		STORE_I(cdr->start_ms), STORE_S(near->uri),
		STORE_S(near->number),  STORE_I(near->lease_id),
		STORE_S(far->uri),      STORE_S(far->number),
		STORE_I(far->lease_id), STORE_S(roles[cdr->role]),
		STORE_S(cdr->icid),
	};
	const struct store_stmt stmt = {
		"INSERT INTO calls(id, call_id, start, uri, number, lease_id,"
		" callee_uri, callee_number, callee_lease_id, role, icid)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		vals, 11
	};

	keep(call, &stmt);
}

/** It is answered: now; AS_CALL_EV_KEPT follows */
void as_cdr_answer(struct as_call *call)
{
	struct as_cdr *cdr = call->cdr;
	const struct store_val vals[] = { STORE_I(cdr->id),
					  STORE_I(as_wall_ms()) };
	const struct store_stmt stmt = {
		"UPDATE calls SET answer = ?2, seen = ?2 WHERE id = ?1", vals, 2
	};

	cdr->answer_ms = vals[1].i;
	keep(call, &stmt);
}

/** It is still up: now */
void as_cdr_seen(const struct as_cdr *cdr)
{
	const struct store_val vals[] = { STORE_I(cdr->id),
					  STORE_I(as_wall_ms()) };
	const struct store_stmt stmt = {
		"UPDATE calls SET seen = ?2 WHERE id = ?1", vals, 2
	};

	store_run(cdr->as->store, &stmt, cdr->role != AS_PASSING, NULL, NULL);
}

/* ---- at the start ---- */

static struct as_cdr *from_row(struct appserver *as,
			       const struct store_rows *rows, int row)
{
	struct as_cdr *cdr = xcalloc(1, sizeof(*cdr));
	struct as_party *near = &cdr->party[AS_NEAR];
	struct as_party *far = &cdr->party[AS_FAR];

	cdr->as = as;
	cdr->id = store_int(rows, row, 0);
	cdr->call_id = xstrdup(store_text(rows, row, 1));
	cdr->start_ms = store_int(rows, row, 2);
	cdr->answer_ms = store_int(rows, row, 3);
	cdr->end_ms = store_int(rows, row, 4);
	cdr->status = (int)store_int(rows, row, 5);
	if (store_text(rows, row, 6))
		snprintf(cdr->cause, sizeof(cdr->cause), "%s",
			 store_text(rows, row, 6));
	near->uri = xstrdup(store_text(rows, row, 7));
	near->number = xstrdup(store_text(rows, row, 8));
	near->lease_id = store_int(rows, row, 9);
	far->uri = xstrdup(store_text(rows, row, 10));
	far->number = xstrdup(store_text(rows, row, 11));
	far->lease_id = store_int(rows, row, 12);
	cdr->role = strcmp(store_text(rows, row, 13), roles[AS_TERMINATING])
			    ? AS_ORIGINATING
			    : AS_TERMINATING;
	cdr->icid = xstrdup(store_text(rows, row, 14));

	return cdr;
}

/* The run before this one ended in the middle of the call. seen is not older
 * than the answer, and is all that is known of how long it was up */
static void complete_left_behind(struct as_cdr *cdr, int64_t seen_ms)
{
	cdr->end_ms = seen_ms ? seen_ms : as_wall_ms();
	cdr->status = cdr->answer_ms ? 200 : 0;
	snprintf(cdr->cause, sizeof(cdr->cause), "as-restart");
	complete(cdr);
}

static void on_rows(int err, const struct store_rows *rows, void *arg)
{
	struct appserver *as = arg;

	for (int i = 0; !err && i < store_row_count(rows); i++) {
		struct as_cdr *cdr = from_row(as, rows, i);

		if (as->last_call_id < cdr->id)
			as->last_call_id = cdr->id;
		if (!cdr->end_ms) {
			complete_left_behind(cdr, store_int(rows, i, 15));
			continue;
		}
		if (as->cdr)
			put_line(as->cdr, cdr);
		as_cdr_free(cdr);
	}
	if (!as->cdr)
		return;
	if (fflush(as->cdr) ||
	    (as->cdr_temp && rename(as->cdr_temp, as->cdr_path)))
		complain(as);
}

/** Read the rows: complete those that were left open, write the file anew */
void as_cdrs_load(struct appserver *as)
{
	const struct store_stmt stmt = { "SELECT " COLUMNS
					 ", seen FROM calls ORDER BY id",
					 NULL, 0 };

	store_run(as->store, &stmt, 1, on_rows, as);
}

/**
 * Open the file
 *
 * @param reasonp On failure: what, where, what to do; the caller's to free
 *
 * @return 0, or errno of the file
 */
int as_cdrs_open(struct appserver *as, const struct appserver_cfg *cfg,
		 char **reasonp)
{
	bool is_memory = !strcmp(cfg->store, "memory");
	int err;

	if (!cfg->cdr)
		return 0;

	as->cdr_path = xstrdup(cfg->cdr);
	if (!is_memory)
		as->cdr_temp = xasprintf("%s.new", cfg->cdr);
	as->cdr = fopen(is_memory ? cfg->cdr : as->cdr_temp,
			is_memory ? "ae" : "we");
	if (!as->cdr) {
		err = errno;
		*reasonp = xasprintf("--cdr %s: %s; name a file that can be "
				     "written",
				     cfg->cdr, strerror(err));
		return err;
	}
	if (!fseek(as->cdr, 0, SEEK_END) && !ftell(as->cdr))
		(void)fputs(header, as->cdr);

	return 0;
}

/** Close the file; the store must be gone */
void as_cdrs_free(struct appserver *as)
{
	while (as->ended) {
		struct as_cdr *cdr = as->ended;

		as->ended = cdr->next;
		as_cdr_free(cdr);
	}
	if (as->cdr && fclose(as->cdr))
		complain(as);
	free(as->cdr_path);
	free(as->cdr_temp);
}
