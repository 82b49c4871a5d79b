#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "sim/sim.h"
#include "sim/sim_invariant.h"
#include "sim/sim_ladder.h"

enum { SHOWN_MAX = 5 };

static bool is_text(const json_t *fields, const char *name, const char *value)
{
	const char *text = json_find_string(fields, name);

	return text && value && !strcmp(text, value);
}

static bool has_text(const struct sim_entry *e, const char *text, size_t len)
{
	return len && memmem(e->data, e->len, text, len);
}

/** Is an entry of the breach's SIP-URI, real number or lease, or a fault? */
bool sim_breach_concerns(const struct sim_breach *breach,
			 const struct sim_entry *e)
{
	const char *user = breach->user;
	/* the part that stands in every protocol's messages alike */
	const char *part = breach->uri ? breach->uri + 4 : "";

	if (!e->name)
		return has_text(e, part, strlen(part)) ||
		       (user && has_text(e, user, strlen(user)));

	return !strncmp(e->name, "fault.", 6) ||
	       is_text(e->fields, "uri", breach->uri) ||
	       is_text(e->fields, "impu", breach->uri) ||
	       is_text(e->fields, "id", breach->uri) ||
	       is_text(e->fields, "number", user) ||
	       is_text(e->fields, "id", user) ||
	       (breach->lease_id &&
		json_find_int(e->fields, "lease_id", 0) == breach->lease_id);
}

static bool wants(const struct sim_entry *e, const void *arg)
{
	return sim_breach_concerns(arg, e);
}

static void print_breach(const struct sim_breach *breach,
			 const struct sim_label *labels, FILE *f,
			 const struct sim_screen *screen)
{
	const struct sim_ladder_cfg cfg = {
		.width = screen->width,
		.is_colour = screen->is_colour,
		.is_ascii = screen->is_ascii,
		.wants = wants,
		.arg = breach,
	};

	fprintf(f, "I%d does not hold: %s. All of %s:\n", breach->number,
		breach->text, breach->uri ? breach->uri : "the faults");
	sim_ladder_print(labels, &cfg, f);
}

/** Print each breach with the ladder of what it concerns, and last a line that
 * says whether the invariants hold */
void sim_invariants_print(const struct sim_invariants *inv,
			  const struct sim_label *labels, FILE *f,
			  const struct sim_screen *screen)
{
	size_t n = sim_invariants_count(inv);
	const char *red = screen->is_colour ? "\033[31m" : "";
	const char *green = screen->is_colour ? "\033[32m" : "";
	const char *plain = screen->is_colour ? "\033[0m" : "";
	bool is_broken[SIM_INVARIANT_N + 1] = { false };

	for (size_t i = 0; i < n; i++) {
		const struct sim_breach *b = sim_invariants_breach(inv, i);

		is_broken[b->number] = true;
		if (i < SHOWN_MAX)
			print_breach(b, labels, f, screen);
	}
	if (!n) {
		fprintf(f, "%sPASS%s: invariants I1–I6 hold\n", green, plain);
		return;
	}

	fprintf(f, "%sFAIL%s: of the invariants", red, plain);
	for (int i = 1; i <= SIM_INVARIANT_N; i++)
		if (is_broken[i])
			fprintf(f, " I%d", i);
	fprintf(f, " %s not hold: %zu breach%s%s\n", n == 1 ? "does" : "do", n,
		n == 1 ? "" : "es",
		n > SHOWN_MAX ? ", of which the first 5 are shown" : "");
}
