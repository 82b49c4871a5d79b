#include "sim/sim_trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_trace_order.h"

/** Owned by the runner. Owns its lines */
struct sim_trace {
	struct sim_record *recs;
	size_t rec_n, rec_max;
	json_t *actors;  /**< name → number, of who has written a line */
	json_t *told;    /**< address → name, by sim_trace_actor() */
	json_t *learned; /**< address → name, by the lines; null: several */
	json_t *hosts;   /**< set of hosts that are known by nothing else */
	struct sim_entry *entries;
	size_t entry_n;
	json_t *lines; /**< of sim_trace_of(), or NULL */
};

struct sim_trace *sim_trace_new(void)
{
	struct sim_trace *tr = xcalloc(1, sizeof(*tr));

	tr->actors = json_object();
	tr->told = json_object();
	tr->learned = json_object();
	tr->hosts = json_object();

	return tr;
}

/**
 * A trace that was finished elsewhere
 *
 * @param entries Of malloc(), taken over
 * @param lines   Holds their strings; taken over
 */
struct sim_trace *sim_trace_of(struct sim_entry *entries, size_t n,
			       json_t *lines)
{
	struct sim_trace *tr = sim_trace_new();

	tr->entries = entries;
	tr->entry_n = n;
	tr->lines = lines;

	return tr;
}

struct sim_trace *sim_trace_free(struct sim_trace *tr)
{
	if (!tr)
		return NULL;

	for (size_t i = 0; i < tr->rec_n; i++) {
		free(tr->recs[i].owned);
		json_decref(tr->recs[i].line);
	}
	json_decref(tr->actors);
	json_decref(tr->told);
	json_decref(tr->learned);
	json_decref(tr->hosts);
	json_decref(tr->lines);
	free(tr->recs);
	free(tr->entries);
	free(tr);

	return NULL;
}

/* --- reading lines --- */

static int name_index(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++) {
		if (!strcmp(names[i], name))
			return (int)i;
	}

	return -1;
}

static int nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

static int read_hex(struct sim_record *rec, const char *hex)
{
	size_t len = strlen(hex) / 2;
	char *out;

	if (strlen(hex) % 2)
		return EINVAL;

	out = xcalloc(len + 1, 1);
	for (size_t i = 0; i < len; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0) {
			free(out);
			return EINVAL;
		}
		out[i] = (char)(high << 4 | low);
	}
	rec->data = rec->owned = out;
	rec->len = len;

	return 0;
}

static int read_data(struct sim_record *rec, json_t *line)
{
	json_t *text = json_object_get(line, "text");
	const char *hex = json_string_value(json_object_get(line, "hex"));

	if (!json_is_string(text))
		return hex ? read_hex(rec, hex) : EINVAL;

	rec->data = json_string_value(text);
	rec->len = json_string_length(text);

	return 0;
}

static int read_message(struct sim_record *rec, json_t *line)
{
	static const char *const protos[] = { "sip", "diameter", "http" };
	static const char *const dirs[] = { "send", "recv" };
	const char *proto, *dir;
	int p, d;

	if (json_unpack(line, "{s:s, s:s, s:s, s:s, s:s}", "proto", &proto,
			"dir", &dir, "transport", &rec->transport, "local",
			&rec->local, "remote", &rec->remote))
		return EINVAL;

	p = name_index(protos, 3, proto);
	d = name_index(dirs, 2, dir);
	if (p < 0 || d < 0)
		return EINVAL;
	rec->is_msg = true;
	rec->proto = (enum trace_proto)p;
	rec->dir = (enum trace_dir)d;

	return read_data(rec, line);
}

static void learn(json_t *map, const char *address, size_t len,
		  const char *actor)
{
	char *key = xstrndup(address, len);
	const json_t *known = json_object_get(map, key);
	const char *name = json_string_value(known);

	if (!known)
		json_object_set_new_nocheck(map, key, json_string(actor));
	else if (name && strcmp(name, actor) != 0)
		json_object_set_new_nocheck(map, key, json_null());
	free(key);
}

static size_t actor_number(struct sim_trace *tr, const char *actor)
{
	const json_t *number = json_object_get(tr->actors, actor);
	size_t next = json_object_size(tr->actors);

	if (number)
		return (size_t)json_integer_value(number);
	json_object_set_new(tr->actors, actor, json_integer((json_int_t)next));

	return next;
}

static struct sim_record *append(struct sim_trace *tr)
{
	if (tr->rec_n == tr->rec_max) {
		tr->rec_max = tr->rec_max ? 2 * tr->rec_max : 256;
		tr->recs = xrealloc(tr->recs, tr->rec_max * sizeof(*tr->recs));
	}

	return &tr->recs[tr->rec_n++];
}

/**
 * Take a line of a process's trace
 *
 * @param line Kept by reference: not to be changed any more
 *
 * @return 0, or EINVAL: it is none of common/trace.h
 */
int sim_trace_add(struct sim_trace *tr, json_t *line)
{
	struct sim_record rec = { 0 };
	const char *actor, *kind;
	json_int_t t;
	int err;

	if (json_unpack(line, "{s:I, s:s, s:s}", "t", &t, "actor", &actor,
			"kind", &kind))
		return EINVAL;

	if (!strcmp(kind, "msg"))
		err = read_message(&rec, line);
	else if (!strcmp(kind, "event") &&
		 json_is_string(json_object_get(line, "name")))
		err = 0;
	else
		err = EINVAL;
	if (err)
		return err;

	rec.t_us = rec.real_us = t;
	if (json_is_integer(json_object_get(line, "w")))
		rec.real_us = json_integer_value(json_object_get(line, "w"));
	/* it orders records, and is no particular of an event */
	json_object_del(line, "w");
	rec.line = json_incref(line);
	rec.actor = actor_number(tr, actor);
	if (rec.is_msg) {
		size_t host = sim_host_len(rec.local);

		learn(tr->learned, rec.local, strlen(rec.local), actor);
		learn(tr->learned, rec.local, host, actor);
	}
	*append(tr) = rec;

	return 0;
}

/** The same for a line of text; a NUL inside is of a hostile message's bytes */
int sim_trace_add_text(struct sim_trace *tr, const char *text, size_t len)
{
	json_t *line = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
	int err = line ? sim_trace_add(tr, line) : EINVAL;

	json_decref(line);

	return err;
}

/** Say who is at an address; an actor may have several */
void sim_trace_actor(struct sim_trace *tr, const char *name,
		     const char *address)
{
	json_object_set_new_nocheck(tr->told, address,
				    json_string_nocheck(name));
}

/* --- entries --- */

static const char *look_up(const json_t *map, const char *address, size_t len)
{
	char *key = xstrndup(address, len);
	const char *name = json_string_value(json_object_get(map, key));

	free(key);

	return name;
}

/* The host itself, kept for as long as the trace */
static const char *host_name(struct sim_trace *tr, const char *address)
{
	char *key = xstrndup(address, sim_host_len(address));
	json_t *name = json_object_get(tr->hosts, key);

	if (!name) {
		name = json_string_nocheck(key);
		json_object_set_new_nocheck(tr->hosts, key, name);
	}
	free(key);

	return json_string_value(name);
}

static const char *resolve(struct sim_trace *tr, const char *address)
{
	size_t len = strlen(address), host = sim_host_len(address);
	const char *name = look_up(tr->told, address, len);

	if (!name)
		name = look_up(tr->learned, address, len);
	if (!name)
		name = look_up(tr->told, address, host);
	if (!name)
		name = look_up(tr->learned, address, host);
	if (!name)
		name = look_up(tr->told, "*", 1);

	return name ? name : host_name(tr, address);
}

static const char *actor_of(const struct sim_record *rec)
{
	return json_string_value(json_object_get(rec->line, "actor"));
}

static void fill_event(struct sim_entry *e, const struct sim_record *rec)
{
	e->from = actor_of(rec);
	e->name = json_string_value(json_object_get(rec->line, "name"));
	e->fields = rec->line;
	e->send_us = e->recv_us = -1;
}

/* rec is the send, or the receive of a message that was only seen there */
static void fill_message(struct sim_trace *tr, struct sim_entry *e,
			 const struct sim_record *rec)
{
	bool is_send = rec->dir == TRACE_SEND;
	const struct sim_record *other =
		rec->pair == SIM_NONE ? NULL : &tr->recs[rec->pair];
	const char *peer = other ? actor_of(other) : resolve(tr, rec->remote);

	e->from = is_send ? actor_of(rec) : peer;
	e->to = is_send ? peer : actor_of(rec);
	e->proto = rec->proto;
	e->transport = rec->transport;
	e->src = is_send ? rec->local : rec->remote;
	e->dst = is_send ? rec->remote : rec->local;
	e->data = rec->data;
	e->len = rec->len;
	e->send_us = is_send ? rec->t_us : -1;
	e->recv_us = is_send ? (other ? other->t_us : -1) : rec->t_us;
	e->recv_real_us =
		is_send ? (other ? other->real_us : -1) : rec->real_us;
	e->is_lost = is_send && !other && json_object_get(tr->actors, peer);
}

/* The records in order become entries; slots[record] is its entry */
static void make_entries(struct sim_trace *tr, const size_t *order,
			 size_t *slots)
{
	int64_t last_us = INT64_MIN;

	for (size_t i = 0; i < tr->rec_n; i++) {
		const struct sim_record *rec = &tr->recs[order[i]];
		struct sim_entry *e = &tr->entries[tr->entry_n];

		/* of a pair, the send is what is told */
		if (rec->is_msg && rec->pair != SIM_NONE &&
		    rec->dir == TRACE_RECV)
			continue;

		slots[order[i]] = tr->entry_n++;
		if (rec->is_msg)
			fill_message(tr, e, rec);
		else
			fill_event(e, rec);
		e->t_us = rec->t_us - (rec->real_us - rec->at_us);
		if (e->t_us < last_us)
			e->t_us = last_us;
		last_us = e->t_us;
	}
}

static void mark_repeats(struct sim_trace *tr, const size_t *slots)
{
	for (size_t i = 0; i < tr->rec_n; i++) {
		const struct sim_record *rec = &tr->recs[i];
		bool is_told = rec->dir == TRACE_SEND || rec->pair == SIM_NONE;

		if (!rec->is_msg || !is_told || rec->original == SIM_NONE)
			continue;
		tr->entries[slots[i]].is_retransmission = true;
		tr->entries[slots[i]].original = slots[rec->original];
	}
}

void sim_trace_finish(struct sim_trace *tr)
{
	size_t *order = xcalloc(tr->rec_n + 1, sizeof(size_t));
	size_t *slots = xcalloc(tr->rec_n + 1, sizeof(size_t));

	free(tr->entries);
	tr->entries = xcalloc(tr->rec_n + 1, sizeof(*tr->entries));
	tr->entry_n = 0;
	sim_records_pair(tr->recs, tr->rec_n);
	sim_records_order(tr->recs, tr->rec_n, json_object_size(tr->actors),
			  order);
	make_entries(tr, order, slots);
	mark_repeats(tr, slots);
	free(slots);
	free(order);
}

size_t sim_trace_count(const struct sim_trace *tr)
{
	return tr->entry_n;
}

const struct sim_entry *sim_trace_entry(const struct sim_trace *tr, size_t i)
{
	return &tr->entries[i];
}
