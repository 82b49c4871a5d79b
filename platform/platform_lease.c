#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/password.h"
#include "common/timer.h"
#include "common/trace.h"
#include "platform/platform_lease.h"

/* The life of a SIP-URI. The store decides and memory follows
 * (platform_lease_sync.c): a state is entered by LEASE_EV_STORED only, when it
 * is on disk. */
enum lease_event {
	LEASE_EV_STORED,   /* struct plat_row: what the store now says */
	LEASE_EV_TIMEOUT,  /* the state's timer */
	LEASE_EV_ACCOUNT,  /* struct plat_row: passwords, for what is next */
	LEASE_EV_ANSWERED, /* struct plat_dereg_result: end of S413 */
	LEASE_EV_CHANGED,  /* char *: what the BOSS said, NULL if changed */
	LEASE_EV_STUCK,    /* the store could not make a change */
	LEASE_EV_N
};

static const char *const event_names[LEASE_EV_N] = {
	[LEASE_EV_STORED] = "stored",
	[LEASE_EV_TIMEOUT] = "timeout",
	[LEASE_EV_ACCOUNT] = "account",
	[LEASE_EV_ANSWERED] = "answered",
	[LEASE_EV_CHANGED] = "password changed",
	[LEASE_EV_STUCK] = "store failed"
};

static void in_idle(void *obj, int event, void *data);
static void in_occupied(void *obj, int event, void *data);
static void in_reclaiming(void *obj, int event, void *data);
static void in_cooling(void *obj, int event, void *data);
static void in_quarantined(void *obj, int event, void *data);

static const struct fsm_state states[LEASE_STATE_N] = {
	[LEASE_IDLE] = {
		.name = "idle",
		.accepts = FSM_BIT(LEASE_EV_STORED),
		.next = FSM_BIT(LEASE_OCCUPIED),
		.action = in_idle,
	},
	[LEASE_OCCUPIED] = {
		.name = "occupied",
		.accepts = FSM_BIT(LEASE_EV_STORED) |
			   FSM_BIT(LEASE_EV_TIMEOUT) | FSM_BIT(LEASE_EV_STUCK),
		.next = FSM_BIT(LEASE_RECLAIMING),
		.timer = TIMER_LEASE_LIMIT,
		.action = in_occupied,
	},
	[LEASE_RECLAIMING] = {
		.name = "reclaiming",
		.accepts = FSM_BIT(LEASE_EV_STORED) |
			   FSM_BIT(LEASE_EV_TIMEOUT) |
			   FSM_BIT(LEASE_EV_ACCOUNT) |
			   FSM_BIT(LEASE_EV_ANSWERED) |
			   FSM_BIT(LEASE_EV_CHANGED) | FSM_BIT(LEASE_EV_STUCK),
		.next = FSM_BIT(LEASE_COOLING) | FSM_BIT(LEASE_IDLE) |
			FSM_BIT(LEASE_QUARANTINED),
		.action = in_reclaiming,
	},
	[LEASE_COOLING] = {
		.name = "cooling",
		.accepts = FSM_BIT(LEASE_EV_STORED) |
			   FSM_BIT(LEASE_EV_TIMEOUT) | FSM_BIT(LEASE_EV_STUCK),
		.next = FSM_BIT(LEASE_IDLE),
		.timer = TIMER_COOL_DOWN,
		.action = in_cooling,
	},
	[LEASE_QUARANTINED] = {
		.name = "quarantined",
		.accepts = FSM_BIT(LEASE_EV_STORED),
		.next = FSM_BIT(LEASE_IDLE) | FSM_BIT(LEASE_RECLAIMING),
		.action = in_quarantined,
	},
};

const struct fsm_def plat_lease_def = {
	.name = "platform.lease",
	.states = states,
	.state_n = LEASE_STATE_N,
	.events = event_names,
	.event_n = LEASE_EV_N,
	.timeout_event = LEASE_EV_TIMEOUT,
};

/* Remembered by number: the lease may have moved on in the meantime */
static struct plat_lease *find(const struct plat_job *job)
{
	struct plat_lease *lease = NULL;

	if (job->number > 0 && job->number <= job->plat->lease_n)
		lease = job->plat->leases[job->number - 1];

	return lease && lease->lease_id == job->lease_id ? lease : NULL;
}

static struct plat_job *job_for(const struct plat_lease *lease, plat_job_cb *cb)
{
	struct plat_job *job = plat_job_new(lease->plat, NULL, cb);

	job->number = lease->number;
	job->lease_id = lease->lease_id;

	return job;
}

static void on_looked(struct plat_job *job, int err,
		      const struct store_rows *rows)
{
	struct plat_row row;

	if (!err && plat_row_get(&row, rows, 0))
		plat_lease_sync(job->plat, &row);
}

/* Not as memory has it: another platform was there first, or our change was
 * made and its answer lost */
static void look_again(const struct plat_job *job)
{
	plat_pool_get(job->plat->store, job->number, plat_job_run,
		      plat_job_new(job->plat, NULL, on_looked));
}

static void on_moved(struct plat_job *job, int err,
		     const struct store_rows *rows)
{
	struct plat_lease *lease = find(job);
	struct plat_row row;

	if (err && lease)
		(void)fsm_event(lease->fsm, LEASE_EV_STUCK, NULL);
	else if (!err && !plat_row_get(&row, rows, 0))
		look_again(job);
	else if (!err && row.is_done)
		plat_lease_follow(job->plat, &row);
	else if (!err)
		plat_lease_sync(job->plat, &row);
}

static void move(const struct plat_lease *lease, enum lease_state to)
{
	const struct plat_move m = {
		.number = lease->number,
		.lease_id = lease->lease_id,
		.from = (enum lease_state)fsm_state(lease->fsm),
		.to = to,
	};

	plat_pool_move(lease->plat->store, &m, plat_job_run,
		       job_for(lease, on_moved));
}

static void on_account(struct plat_job *job, int err,
		       const struct store_rows *rows)
{
	struct plat_lease *lease = find(job);
	struct plat_row row;

	if (!lease || fsm_state(lease->fsm) != LEASE_RECLAIMING)
		return;
	if (err)
		(void)fsm_event(lease->fsm, LEASE_EV_STUCK, NULL);
	else if (!plat_row_get(&row, rows, 0))
		look_again(job);
	else if (row.state != LEASE_RECLAIMING ||
		 row.lease_id != lease->lease_id)
		plat_lease_sync(job->plat, &row);
	else
		(void)fsm_event(lease->fsm, LEASE_EV_ACCOUNT, &row);
}

static void on_answered(const struct plat_dereg_result *result, void *arg)
{
	struct plat_lease *lease = arg;
	struct plat_dereg_result copy = *result;

	(void)fsm_event(lease->fsm, LEASE_EV_ANSWERED, &copy);
	lease->dereg = plat_dereg_free(lease->dereg);
}

static void on_changed(const char *error, void *arg)
{
	struct plat_lease *lease = arg;

	(void)fsm_event(lease->fsm, LEASE_EV_CHANGED, (void *)error);
	lease->passwd = plat_passwd_free(lease->passwd);
}

static void retry_soon(const struct plat_lease *lease)
{
	fsm_timer_ms(lease->fsm, timer_value_ms(TIMER_DEREG_RETRY));
}

static void in_idle(void *obj, int event, void *data)
{
	const struct plat_lease *lease = obj;
	const struct plat_row *row = data;

	(void)event;
	fsm_goto(lease->fsm, (int)row->state); /* [0085] */
}

static void set_bound(struct plat_lease *lease)
{
	lease->give_up_us =
		clock_now_us() + timer_value_ms(TIMER_DEREG_BOUND) * 1000;
}

/** S413 on the next turn, with all its time before it */
void plat_lease_start_reclaiming(struct plat_lease *lease)
{
	lease->is_refused = false;
	lease->retry_ms = timer_value_ms(TIMER_DEREG_RETRY);
	set_bound(lease);
	fsm_timer_ms(lease->fsm, 0);
}

static void in_occupied(void *obj, int event, void *data)
{
	struct plat_lease *lease = obj;
	const struct plat_row *row = data;

	if (event == LEASE_EV_STUCK) {
		retry_soon(lease);
		return;
	}
	if (event == LEASE_EV_TIMEOUT) {
		log_info("platform: lease %d of %s is at its limit",
			 (int)lease->lease_id, lease->uri);
		plat_lease_reclaim(lease);
		return;
	}

	/* S413 follows on another turn, after the response of S411 */
	fsm_goto(lease->fsm, (int)row->state);
	plat_lease_start_reclaiming(lease);
}

static int64_t ms_left(const struct plat_lease *lease)
{
	int64_t left_us = lease->give_up_us - clock_now_us();

	return left_us > 0 ? (left_us + 999) / 1000 : 0;
}

/* Not deregistered, so not idle: again later, each time twice as late, until
 * the bound */
static void try_later(struct plat_lease *lease)
{
	int64_t delay_ms = lease->retry_ms;

	if (delay_ms > ms_left(lease))
		delay_ms = ms_left(lease);
	lease->retry_ms *= 2;
	lease->due_us = clock_now_us() +
			(delay_ms + timer_value_ms(TIMER_COOL_DOWN)) * 1000;
	fsm_timer_ms(lease->fsm, delay_ms);
}

static void quarantine(struct plat_lease *lease)
{
	lease->dereg = plat_dereg_free(lease->dereg);
	lease->passwd = plat_passwd_free(lease->passwd);
	log_error("platform: %s could not be deregistered%s: quarantined; see "
		  "to the IMS, then POST /v1/quarantine/release",
		  lease->uri,
		  lease->plat->boss ? ", or its password not changed" : "");
	move(lease, LEASE_QUARANTINED);
}

static enum lease_state after_reclaiming(void)
{
	return timer_value_ms(TIMER_COOL_DOWN) > 0 ? LEASE_COOLING : LEASE_IDLE;
}

/* The next password is on disk before it is told: a process that ends here
 * finds it there and tells it (again). Who was deregistered before is known,
 * too, for the present password may be of no use by then. */
static void renew(struct plat_lease *lease, bool is_confirmed)
{
	char *password = password_random();
	const struct plat_renewal renewal = { .number = lease->number,
					      .lease_id = lease->lease_id,
					      .password = password,
					      .is_confirmed = is_confirmed };

	lease->is_refused = false;
	if (!password) {
		log_error("platform: no random numbers for a password of %s",
			  lease->uri);
		retry_soon(lease);
		return;
	}
	plat_pool_renew(lease->plat->store, &renewal, plat_job_run,
			job_for(lease, on_account));
	OPENSSL_cleanse(password, strlen(password));
	free(password);
}

static void dereg_answered(struct plat_lease *lease,
			   const struct plat_dereg_result *result)
{
	struct plat *plat = lease->plat;
	bool is_done = result->status >= 200 && result->status < 300;

	/* S414: [0122]; only this 200 lets the SIP-URI be lent again */
	if (is_done && plat->boss) {
		renew(lease, true);
		return;
	}
	if (is_done) {
		if (!plat->has_warned)
			log_warn("platform: no --boss: a SIP-URI keeps its "
				 "password from one holder to the next");
		plat->has_warned = true;
		move(lease, after_reclaiming());
		return;
	}
	log_warn("platform: deregistration of %s (lease %d): %d %s", lease->uri,
		 (int)lease->lease_id, result->status,
		 result->phrase ? result->phrase : "");
	lease->is_refused = result->status == 403;
	try_later(lease);
}

/* The BOSS has answered. The account's password is the new one from now on;
 * without a confirmed deregistration, that comes next, with this password */
static void password_answered(struct plat_lease *lease, const char *error)
{
	const struct plat_move m = {
		.number = lease->number,
		.lease_id = lease->lease_id,
		.from = LEASE_RECLAIMING,
		.to = lease->is_confirmed ? after_reclaiming()
					  : LEASE_RECLAIMING,
	};

	if (error) {
		log_warn("platform: new password of %s (lease %d): %s",
			 lease->uri, (int)lease->lease_id, error);
		try_later(lease);
		return;
	}
	trace_event(lease->plat->el->trace, "platform.password-changed",
		    json_pack("{s:s, s:I}", "uri", lease->uri, "lease_id",
			      (json_int_t)lease->lease_id));
	plat_pool_adopt(
		lease->plat->store, &m, plat_job_run,
		job_for(lease, lease->is_confirmed ? on_moved : on_account));
}

/* What is next is what the store says: a password that is on its way is sent
 * until the HSS has it; else S413: [0121]. Where that was refused, our password
 * may not be the HSS's: it is given a new one, at which it puts out by RTR who
 * is registered (TS 29.228 6.1.3), and with that one S413 is tried again. What
 * finds no end ends at the bound. */
static void go_on(struct plat_lease *lease, const struct plat_row *row)
{
	fsm_timer_ms(lease->fsm, ms_left(lease));
	lease->dereg = plat_dereg_free(lease->dereg);
	lease->passwd = plat_passwd_free(lease->passwd);
	lease->is_confirmed = row->is_confirmed;
	if (row->next_password && lease->plat->boss)
		lease->passwd =
			plat_passwd_new(lease->plat, row, on_changed, lease);
	else if (lease->is_refused && lease->plat->boss)
		renew(lease, false);
	else
		lease->dereg =
			plat_dereg_new(lease->plat, row, on_answered, lease);
}

static void in_reclaiming(void *obj, int event, void *data)
{
	struct plat_lease *lease = obj;
	const struct plat_row *row = data;

	switch (event) {
	case LEASE_EV_TIMEOUT:
		if (!ms_left(lease))
			quarantine(lease);
		else if (!lease->dereg && !lease->passwd)
			plat_pool_get(lease->plat->store, lease->number,
				      plat_job_run, job_for(lease, on_account));
		break;
	case LEASE_EV_ACCOUNT:
		go_on(lease, row);
		break;
	case LEASE_EV_ANSWERED:
		dereg_answered(lease, data);
		break;
	case LEASE_EV_CHANGED:
		password_answered(lease, data);
		break;
	case LEASE_EV_STUCK:
		/* without the store nothing can be confirmed: the bound is for
		 * the IMS and the BOSS */
		set_bound(lease);
		retry_soon(lease);
		break;
	default:
		fsm_goto(lease->fsm, (int)row->state);
	}
}

static void in_cooling(void *obj, int event, void *data)
{
	const struct plat_lease *lease = obj;
	const struct plat_row *row = data;

	if (event == LEASE_EV_STUCK)
		retry_soon(lease);
	else if (event == LEASE_EV_TIMEOUT)
		move(lease, LEASE_IDLE);
	else
		fsm_goto(lease->fsm, (int)row->state);
}

static void in_quarantined(void *obj, int event, void *data)
{
	struct plat_lease *lease = obj;
	const struct plat_row *row = data;

	(void)event;
	fsm_goto(lease->fsm, (int)row->state);
	if (row->state == LEASE_RECLAIMING)
		plat_lease_start_reclaiming(lease);
}

/** The store has changed the SIP-URI's state: its row */
void plat_lease_stored(const struct plat_lease *lease,
		       const struct plat_row *row)
{
	struct plat_row event = *row;

	(void)fsm_event(lease->fsm, LEASE_EV_STORED, &event);
}

/** End a lease without anyone asking: at its limit, or its asker went away */
void plat_lease_reclaim(const struct plat_lease *lease)
{
	plat_pool_reclaim(lease->plat->store, lease->uri, lease->lease_id,
			  plat_job_run, job_for(lease, on_moved));
}
