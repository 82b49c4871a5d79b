#include "common/timer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define S(n) ((n)*1000LL)

/* The only numbers of seconds in the code */
static const struct timer_name names[TIMER_COUNT] = {
	[TIMER_NONE] = { "none", 0, "ms", "-", "no timer" },
	[TIMER_REG_AWAIT_AUTH] = { "reg-await-auth", S(240), "s",
				   "TS 24.229 7.8",
				   "S-CSCF waits for the answer to its 401" },
	[TIMER_REG_EXPIRES] = { "reg-expires", S(3600), "s",
				"TS 24.229 5.4.1.2.2",
				"registration granted at most" },
	[TIMER_REG_MIN_EXPIRES] = { "reg-min-expires", S(10), "s",
				    "RFC 3261 10.3",
				    "shorter requests get 423" },
	[TIMER_CX_ANSWER] = { "cx-answer", S(5), "s", "RFC 6733 3",
			      "an answer from the HSS" },
	[TIMER_DIAMETER_WATCHDOG] = { "diameter-watchdog", S(30), "s",
				      "RFC 3539 3.4.1", "Tw, between DWRs" },
	[TIMER_DIAMETER_RECONNECT_MIN] = { "diameter-reconnect-min", 50, "ms",
					   "RFC 6733 2.1", "Tc, first retry" },
	[TIMER_DIAMETER_RECONNECT_MAX] = { "diameter-reconnect-max", S(2), "s",
					   "RFC 6733 2.1", "Tc, at most" },
	[TIMER_DIAMETER_CER] = { "diameter-cer", S(5), "s", "RFC 6733 5.3",
				 "capabilities exchange of a connection" },
	[TIMER_SIP_TRANSACTION] = { "sip-transaction", S(32), "s",
				    "RFC 3261 17.1.2.2",
				    "timers B and F, 64*T1" },
	[TIMER_SIP_C] = { "sip-c", S(185), "s", "RFC 3261 16.6 item 11",
			  "timer C: a proxied INVITE without news" },
	[TIMER_DIALOG] = { "dialog", S(86400), "s",
			   "TS 24.229 5.2.8.3, 5.4.5.3",
			   "a CSCF keeps a dialog of which it hears nothing" },
	[TIMER_HTTPS_REQUEST] = { "https-request", S(10), "s", "own choice",
				  "an answer over HTTPS" },
	[TIMER_HTTPS_IDLE] = { "https-idle", S(30), "s", "own choice",
			       "a silent HTTPS connection is closed" },
	[TIMER_LOGIN] = { "login", S(3600), "s", "own choice",
			  "a terminal's login at the AS" },
	[TIMER_MAX_USE] = { "max-use", S(30), "s", "CN103516675A [0115]",
			    "use after the call-end message" },
	[TIMER_LEASE_LIMIT] = { "lease-limit", S(86400), "s", "own choice",
				"a lease ends at the latest" },
	[TIMER_COOL_DOWN] = { "cool-down", 0, "s", "own choice",
			      "between deregistration and idle" },
	[TIMER_DEREG_RETRY] = { "dereg-retry", 500, "ms", "own choice",
				"first retry of a deregistration, doubled" },
	[TIMER_DEREG_BOUND] = { "dereg-bound", S(60), "s", "own choice",
				"deregistration given up: quarantined" },
	[TIMER_PLATFORM] = { "platform-answer", S(5), "s", "own choice",
			     "the AS waits, then answers the terminal 504" },
	[TIMER_WAITING] = { "waiting", S(4), "s", "own choice",
			    "an apply message waits for an idle SIP-URI" },
	[TIMER_RETRY] = { "retry", 500, "ms", "own choice",
			  "first repeat of an unanswered request, doubled" },
	[TIMER_RETRY_MAX] = { "retry-max", S(30), "s", "own choice",
			      "between two of these at most" },
	[TIMER_REG_REFRESH] = { "reg-refresh", S(600), "s",
				"TS 24.229 5.1.1.4.1",
				"before its end a registration is renewed" },
	[TIMER_TAKE_OVER] = { "take-over", S(2), "s", "own choice",
			      "a platform looks for leases of dead ones" },
	[TIMER_STORE_ANSWER] = { "store-answer", S(5), "s", "own choice",
				 "a lost database, then calls fail" },
	[TIMER_STORE_RECONNECT_MIN] = { "store-reconnect-min", 50, "ms",
					"own choice",
					"first retry of a lost database" },
	[TIMER_STORE_RECONNECT_MAX] = { "store-reconnect-max", S(2), "s",
					"own choice", "doubled up to this" },
	[TIMER_CALL_ANSWER] = { "call-answer", S(180), "s", "RFC 3261 16.6",
				"timer C: the AS waits for a call's answer" },
	[TIMER_CDR_INTERIM] = { "cdr-interim", S(30), "s", "RFC 6733 9.8.2",
				"notes in a CDR that its call is still up" },
	[TIMER_READY] = { "ready", S(10), "s", "own choice",
			  "a started process reports ready" },
	[TIMER_DRAIN] = { "drain", S(2), "s", "own choice",
			  "SIGTERM to exit at most" },
	[TIMER_SETTLE] = { "settle", S(2), "s", "own choice",
			   "steps still expected when a scenario has ended" },
	[TIMER_CALL_RING] = { "call-ring", S(30), "s", "RFC 3261 13.3.1.1",
			      "a called terminal rings, then answers 480" },
	[TIMER_CALL_NO_ANSWER] = { "call-no-answer", S(60), "s", "RFC 3261 9.1",
				   "a calling terminal waits, then cancels" },
	[TIMER_RTP_TALK] = { "rtp-talk", S(60), "s", "own choice",
			     "tone that a terminal sends in one call" },
	[TIMER_WEB_IDLE] = { "web-idle", S(30), "s", "own choice",
			     "a silent connection of the live page is closed" },
	[TIMER_WEB_KEEP_ALIVE] = { "web-keep-alive", S(15), "s",
				   "WHATWG HTML 9.2.7",
				   "between comments to a live page" },
};

/* Set before the loop runs, from the command line; then only read */
static int64_t overrides_ms[TIMER_COUNT];
static bool is_overridden[TIMER_COUNT];

const struct timer_name *timer_name_get(enum timer_id id)
{
	return &names[id];
}

/** The timer's value: its default, or what the command line gave */
int64_t timer_value_ms(enum timer_id id)
{
	return is_overridden[id] ? overrides_ms[id] : names[id].default_ms;
}

/**
 * Take `NAME=VALUE`, the value in the timer's unit, or with `s` or `ms` behind
 *
 * @param assignment As given on the command line
 * @param reasonp    On failure: what was wrong, static
 *
 * @return 0, or EINVAL as 22
 */
int timer_override(const char *assignment, const char **reasonp)
{
	enum { INVALID = 22 };
	const char *eq = strchr(assignment, '=');
	const char *unit;
	char *end;
	double value;
	int id;

	*reasonp = "not of the form NAME=VALUE";
	if (!eq)
		return INVALID;

	*reasonp = "no timer of that name";
	for (id = 1; id < TIMER_COUNT; id++)
		if (strlen(names[id].name) == (size_t)(eq - assignment) &&
		    !strncmp(names[id].name, assignment,
			     (size_t)(eq - assignment)))
			break;
	if (id == TIMER_COUNT)
		return INVALID;

	*reasonp = "the value is not a number of s or ms, 0 to 10000000 s";
	value = strtod(eq + 1, &end);
	unit = *end ? end : names[id].unit;
	if (!strcmp(unit, "s"))
		value *= 1000;
	if (end == eq + 1 || !(value >= 0 && value <= 1e10) ||
	    (strcmp(unit, "s") != 0 && strcmp(unit, "ms") != 0))
		return INVALID;

	overrides_ms[id] = (int64_t)value;
	is_overridden[id] = true;

	return 0;
}
