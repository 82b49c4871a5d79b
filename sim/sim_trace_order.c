#include "sim/sim_trace_order.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* A process may note a message just after the kernel has given it away, when
 * the receiver has already noted it */
static const int64_t slack_us = 200000;

/** Length of an address's host: "[::1]" of "[::1]:5060" */
size_t sim_host_len(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (address[0] == '[') {
		const char *end = strchr(address, ']');

		return end ? (size_t)(end - address) + 1 : strlen(address);
	}

	/* two colons without brackets: an IPv6 address, no port */
	if (!colon || strchr(address, ':') != colon)
		return strlen(address);

	return (size_t)(colon - address);
}

static const char *source(const struct sim_record *rec)
{
	return rec->dir == TRACE_SEND ? rec->local : rec->remote;
}

static const char *target(const struct sim_record *rec)
{
	return rec->dir == TRACE_SEND ? rec->remote : rec->local;
}

/* FNV-1a: cheap, and equal hashes are compared in full anyway */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;

	return hash;
}

static uint64_t hash_record(const struct sim_record *rec)
{
	uint64_t hash = 0xcbf29ce484222325u + (uint64_t)rec->proto;

	hash = hash_bytes(hash, source(rec), sim_host_len(source(rec)));
	hash = hash_bytes(hash, target(rec), sim_host_len(target(rec)));

	return hash_bytes(hash, rec->data, rec->len);
}

static int compare_hosts(const char *a, const char *b)
{
	size_t len = sim_host_len(a), other = sim_host_len(b);

	if (len != other)
		return len < other ? -1 : 1;

	return memcmp(a, b, len);
}

/* 0: both may be records of one and the same message. Ports are left out: a
 * TCP client's is often not known to itself */
static int compare_messages(const struct sim_record *a,
			    const struct sim_record *b)
{
	int diff;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	diff = compare_hosts(source(a), source(b));
	if (!diff)
		diff = compare_hosts(target(a), target(b));
	if (!diff && a->len)
		diff = memcmp(a->data, b->data, a->len);

	return diff;
}

static int compare_times(const struct sim_record *a, const struct sim_record *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us ? -1 : 1;

	/* as they came: both point into one array */
	return a < b ? -1 : a > b;
}

static int by_message(const void *ap, const void *bp)
{
	const struct sim_record *a = *(struct sim_record *const *)ap;
	const struct sim_record *b = *(struct sim_record *const *)bp;
	int diff = compare_messages(a, b);

	if (diff)
		return diff;
	if (a->dir != b->dir)
		return a->dir == TRACE_SEND ? -1 : 1;

	return compare_times(a, b);
}

static int by_actor(const void *ap, const void *bp)
{
	const struct sim_record *a = *(struct sim_record *const *)ap;
	const struct sim_record *b = *(struct sim_record *const *)bp;

	if (a->actor != b->actor)
		return a->actor < b->actor ? -1 : 1;

	return compare_times(a, b);
}

/* UDP repeats (RFC 3261 17.1.1.2): the same bytes once more are the same
 * message. TCP and TLS repeat below us, so there it is a new one. */
static void mark_repeats(struct sim_record *recs, struct sim_record **group,
			 size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (!strcmp(group[i]->transport, "udp"))
			group[i]->original = (size_t)(group[0] - recs);
	}
}

static void join(struct sim_record *recs, struct sim_record *send,
		 struct sim_record *recv)
{
	send->pair = (size_t)(recv - recs);
	recv->pair = (size_t)(send - recs);
	/* it was sent before it was received, whenever that was noted */
	if (send->at_us > recv->at_us)
		send->at_us = recv->at_us;
}

/* Fewer came than went. In order, so from the last: each receive takes the
 * latest send that is left for it, which leaves the send that was lost. */
static void join_latest(struct sim_record *recs, struct sim_record **group,
			size_t sends, size_t n)
{
	size_t left = sends;

	for (size_t i = n; i-- > sends && left;) {
		size_t s = left;

		while (s &&
		       group[s - 1]->real_us > group[i]->real_us + slack_us)
			s--;
		if (!s)
			return;
		left = s - 1;
		join(recs, group[left], group[i]);
	}
}

/* One group of equal messages: sends first, then receives, each by time */
static void pair_group(struct sim_record *recs, struct sim_record **group,
		       size_t n)
{
	size_t sends = 0;

	while (sends < n && group[sends]->dir == TRACE_SEND)
		sends++;

	mark_repeats(recs, group, n);
	if (n < 2 * sends) {
		join_latest(recs, group, sends, n);
		return;
	}

	/* as many, or more: what the network itself has doubled stays alone */
	for (size_t i = 0; i < sends; i++)
		join(recs, group[i], group[sends + i]);
}

static struct sim_record **pointers(struct sim_record *recs, size_t n)
{
	struct sim_record **all = xcalloc(n + 1, sizeof(struct sim_record *));

	for (size_t i = 0; i < n; i++)
		all[i] = &recs[i];

	return all;
}

/** Find the other end of each message, and what was sent twice */
void sim_records_pair(struct sim_record *recs, size_t n)
{
	struct sim_record **msgs = xcalloc(n + 1, sizeof(struct sim_record *));
	size_t msg_n = 0, end;

	for (size_t i = 0; i < n; i++) {
		recs[i].pair = recs[i].original = SIM_NONE;
		recs[i].at_us = recs[i].real_us;
		if (!recs[i].is_msg)
			continue;
		recs[i].hash = hash_record(&recs[i]);
		msgs[msg_n++] = &recs[i];
	}
	qsort(msgs, msg_n, sizeof(struct sim_record *), by_message);
	for (size_t i = 0; i < msg_n; i = end) {
		end = i + 1;
		while (end < msg_n && !compare_messages(msgs[i], msgs[end]))
			end++;
		pair_group(recs, msgs + i, end - i);
	}
	free(msgs);
}

/** Each process's records in its own order, and how far they are told */
struct merge {
	struct sim_record *recs;
	struct sim_record **sorted; /**< by process, then time */
	size_t *next, *end;         /**< of each process, in sorted */
	size_t actor_n;
	bool *is_told; /**< of each record */
};

/* What was received was sent before, whatever the clocks say */
static bool is_blocked(const struct merge *m, const struct sim_record *rec)
{
	return rec->is_msg && rec->dir == TRACE_RECV && rec->pair != SIM_NONE &&
	       !m->is_told[rec->pair];
}

static struct sim_record *head(const struct merge *m, size_t actor)
{
	return m->next[actor] < m->end[actor] ? m->sorted[m->next[actor]]
					      : NULL;
}

/* The earliest record that may be told, NULL at the end; if each waits for
 * another (a process that sends to itself), the earliest of all */
static struct sim_record *take_next(struct merge *m)
{
	struct sim_record *best = NULL;
	bool is_best_blocked = true;

	for (size_t a = 0; a < m->actor_n; a++) {
		struct sim_record *rec = head(m, a);
		bool is_late;

		if (!rec)
			continue;
		is_late = is_blocked(m, rec);
		if (!best || is_late < is_best_blocked ||
		    (is_late == is_best_blocked &&
		     compare_times(rec, best) < 0)) {
			best = rec;
			is_best_blocked = is_late;
		}
	}
	if (best) {
		m->next[best->actor]++;
		m->is_told[best - m->recs] = true;
	}

	return best;
}

void sim_records_order(struct sim_record *recs, size_t n, size_t actor_n,
		       size_t *order)
{
	struct merge m = { .recs = recs,
			   .sorted = pointers(recs, n),
			   .next = xcalloc(actor_n + 1, sizeof(size_t)),
			   .end = xcalloc(actor_n + 1, sizeof(size_t)),
			   .actor_n = actor_n,
			   .is_told = xcalloc(n + 1, sizeof(bool)) };
	const struct sim_record *rec;

	qsort(m.sorted, n, sizeof(struct sim_record *), by_actor);
	for (size_t i = 0; i < n; i++) {
		size_t a = m.sorted[i]->actor;

		if (!i || m.sorted[i - 1]->actor != a)
			m.next[a] = i;
		m.end[a] = i + 1;
	}
	while ((rec = take_next(&m)))
		*order++ = (size_t)(rec - recs);

	free(m.is_told);
	free(m.end);
	free(m.next);
	free((void *)m.sorted);
}
