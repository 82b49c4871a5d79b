#include "sim/sim_state.h"

#include <string.h>

enum section {
	POOL,
	BINDINGS,
	MEMORY,
	PCSCF,
	SCSCF,
	HSS,
	CALLS,
	CDRS,
	SECTION_N
};

enum { COLUMNS_MAX = 3 };

/** What is shown of one kind of thing: its key, then the columns */
struct shown {
	const char *en, *zh;
	const char *columns[COLUMNS_MAX];
};

static const struct shown sections[SECTION_N] = {
	[POOL] = { "Pool at the platform",
		   "管理平台的号码池",
		   { "state", "holder", "lease" } },
	[BINDINGS] = { "Bindings at the AS",
		       "应用服务器的绑定",
		       { "uri", "lease", "state" } },
	[MEMORY] = { "Terminals' memory", "终端内存", { "state", "keeps" } },
	[PCSCF] = { "Registrations at the P-CSCF",
		    "P-CSCF 的注册",
		    { "state" } },
	[SCSCF] = { "Registrations at the S-CSCF",
		    "S-CSCF 的注册",
		    { "state" } },
	[HSS] = { "Registrations at the HSS", "HSS 的注册", { "state" } },
	[CALLS] = { "Calls", "呼叫", { "number", "state", "peer" } },
	[CDRS] = { "Charging records",
		   "话单",
		   { "number", "callee_number", "cause" } },
};

/** What an event tells: column from a field of it; an event may have several
 * rows. No column: the thing is gone */
struct rule {
	const char *event;
	const char *machine; /* of "fsm"; else NULL */
	enum section section;
	const char *key, *column, *field;
};

static const struct rule rules[] = {
	{ "lease.state", NULL, POOL, "uri", "state", "to" },
	{ "lease.state", NULL, POOL, "uri", "lease", "lease_id" },
	{ "as.bound", NULL, POOL, "uri", "holder", "number" },
	{ "as.bound", NULL, BINDINGS, "number", "uri", "uri" },
	{ "as.bound", NULL, BINDINGS, "number", "lease", "lease_id" },
	{ "as.unbound", NULL, BINDINGS, "number", NULL, NULL },
	{ "fsm", "as.binding", BINDINGS, "id", "state", "to" },
	{ "fsm", "terminal.ue", MEMORY, "id", "state", "to" },
	{ "ue.leased", NULL, MEMORY, "number", "keeps", "uri" },
	{ "ue.wiped", NULL, MEMORY, "number", "keeps", NULL },
	{ "pcscf.registration", NULL, PCSCF, "impu", "state", "to" },
	{ "scscf.registration", NULL, SCSCF, "impu", "state", "to" },
	{ "hss.registration-state", NULL, HSS, "impu", "state", "to" },
	{ "ue.call", NULL, CALLS, "call", "number", "number" },
	{ "ue.call", NULL, CALLS, "call", "state", "state" },
	{ "ue.call", NULL, CALLS, "call", "peer", "peer" },
	{ "as.cdr", NULL, CDRS, "call_id", "number", "number" },
	{ "as.cdr", NULL, CDRS, "call_id", "callee_number", "callee_number" },
	{ "as.cdr", NULL, CDRS, "call_id", "cause", "cause" },
};

static const char *text_of(const json_t *line, const char *field)
{
	return json_string_value(json_object_get(line, field));
}

static bool is_meant(const struct rule *r, const struct sim_entry *e)
{
	const char *machine = text_of(e->fields, "machine");

	return !strcmp(r->event, e->name) &&
	       (!r->machine || (machine && !strcmp(machine, r->machine)));
}

static void apply(json_t *state[], const struct rule *r, const json_t *line)
{
	const char *key = text_of(line, r->key);
	json_t *thing = key ? json_object_get(state[r->section], key) : NULL;

	if (!key)
		return;
	if (!r->column) {
		json_object_del(state[r->section], key);
		return;
	}
	if (!thing) {
		/* a binding begins when it is made, not when it is asked for */
		if (r->machine && r->section == BINDINGS)
			return;
		thing = json_object();
		json_object_set_new(state[r->section], key, thing);
	}
	if (r->field && json_object_get(line, r->field))
		json_object_set(thing, r->column,
				json_object_get(line, r->field));
	else
		json_object_del(thing, r->column);
}

/* Nobody holds what is idle */
static void clear_idle(const json_t *pool)
{
	const char *uri;
	json_t *thing;

	json_object_foreach((json_t *)pool, uri, thing)
	{
		const char *is = text_of(thing, "state");

		(void)uri;
		if (is && !strcmp(is, "idle")) {
			json_object_del(thing, "holder");
			json_object_del(thing, "lease");
		}
	}
}

static void rx(json_t *state[], const struct sim_entry *e)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (is_meant(&rules[i], e))
			apply(state, &rules[i], e->fields);
	if (!strcmp(e->name, "lease.state"))
		clear_idle(state[POOL]);
}

static void print_value(const json_t *value, FILE *f)
{
	if (json_is_integer(value))
		fprintf(f, "  %lld", (long long)json_integer_value(value));
	else if (json_is_string(value))
		fprintf(f, "  %s", json_string_value(value));
}

static void print_section(const struct shown *shown, const json_t *things,
			  enum sim_lang lang, FILE *f)
{
	const char *key;
	json_t *thing;

	fprintf(f, "%s%s\n", lang == SIM_CHINESE ? shown->zh : shown->en,
		json_object_size(things) ? "" : "  -");
	json_object_foreach((json_t *)things, key, thing)
	{
		fprintf(f, "  %s", key);
		for (int i = 0; i < COLUMNS_MAX && shown->columns[i]; i++)
			print_value(json_object_get(thing, shown->columns[i]),
				    f);
		fputc('\n', f);
	}
}

void sim_state_print(const struct sim_trace *tr, size_t n, enum sim_lang lang,
		     FILE *f)
{
	json_t *state[SECTION_N];

	for (int i = 0; i < SECTION_N; i++)
		state[i] = json_object();
	for (size_t i = 0; i < n && i < sim_trace_count(tr); i++) {
		const struct sim_entry *e = sim_trace_entry(tr, i);

		if (e->name)
			rx(state, e);
	}
	for (int i = 0; i < SECTION_N; i++) {
		print_section(&sections[i], state[i], lang, f);
		json_decref(state[i]);
	}
}
