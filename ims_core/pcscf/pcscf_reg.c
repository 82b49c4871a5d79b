/* The registrations that the P-CSCF remembers (TS 24.229 5.2.2.1, on the 200):
 * which public identity registered which contact from where, its Service-Route
 * and P-Associated-URI; forgotten on deregistration and expiry */
#include "ims_core/pcscf/pcscf_reg.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/dialog.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/trace.h"

enum { REG_NOT_REGISTERED, REG_REGISTERED, REG_STATE_N };
enum { REG_EV_RX_200, REG_EV_EXPIRED, REG_EV_N };

static void not_registered(void *obj, int event, void *data);
static void registered(void *obj, int event, void *data);

static const struct fsm_state states[REG_STATE_N] = {
	[REG_NOT_REGISTERED] = {
		.name = "NOT_REGISTERED",
		.accepts = FSM_BIT(REG_EV_RX_200),
		.next = FSM_BIT(REG_REGISTERED),
		.action = not_registered,
	},
	[REG_REGISTERED] = {
		.name = "REGISTERED",
		.accepts = FSM_BIT(REG_EV_RX_200) | FSM_BIT(REG_EV_EXPIRED),
		.next = FSM_BIT(REG_NOT_REGISTERED),
		.timer = TIMER_REG_EXPIRES,
		.action = registered,
	},
};

static const char *const events[REG_EV_N] = { "RX_200", "EXPIRED" };

static const struct fsm_def def = { .name = "pcscf.reg",
				    .states = states,
				    .state_n = REG_STATE_N,
				    .events = events,
				    .event_n = REG_EV_N,
				    .timeout_event = REG_EV_EXPIRED };

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct pcscf_user *)a)->impu,
		      ((const struct pcscf_user *)b)->impu);
}

/** The contacts of a public identity; NULL: none */
struct pcscf_user *pcscf_user_find(const struct pcscf *pcscf, const char *impu)
{
	const struct pcscf_user key = { .impu = (char *)impu };
	struct pcscf_user **found = tfind(&key, &pcscf->users, compare);

	return found ? *found : NULL;
}

static struct pcscf_user *get_user(struct pcscf *pcscf, const char *impu)
{
	struct pcscf_user *user = pcscf_user_find(pcscf, impu);

	if (user)
		return user;

	user = xcalloc(1, sizeof(*user));
	user->pcscf = pcscf;
	user->impu = xstrdup(impu);
	tsearch(user, &pcscf->users, compare);

	return user;
}

static void reg_free(struct pcscf_reg *reg)
{
	pcscf_reg_unlink(reg);
	fsm_free(reg->fsm);
	free(reg->contact);
	free(reg->source);
	free(reg->service_route);
	free(reg->associated_uri);
	free(reg);
}

static void user_free(void *arg)
{
	struct pcscf_user *user = arg;
	struct pcscf_reg *reg;

	while ((reg = user->regs)) {
		user->regs = reg->next;
		reg_free(reg);
	}
	free(user->impu);
	free(user);
}

static void change(struct pcscf_reg *reg, int to)
{
	const char *from = fsm_name(reg->fsm);

	fsm_goto(reg->fsm, to);
	trace_event(reg->user->pcscf->el->trace, "pcscf.registration",
		    json_pack("{s:s, s:s, s:s, s:s}", "impu", reg->user->impu,
			      "contact", reg->contact, "from", from, "to",
			      fsm_name(reg->fsm)));
}

static void keep(struct pcscf_reg *reg, const struct pcscf_reg_facts *facts)
{
	pcscf_reg_unlink(reg);
	xstrset(&reg->source, facts->source);
	xstrset(&reg->service_route, facts->service_route);
	xstrset(&reg->associated_uri, facts->associated_uri);
	pcscf_reg_link(reg);
	fsm_timer_ms(reg->fsm, facts->expires_s * 1000LL);
}

/* The S-CSCF ends what is still up (5.4.5.1.2); who is not registered any more
 * begins nothing in it */
static void leave_dialogs(struct pcscf *pcscf, const char *impu)
{
	struct dialog *d = dialog_first_of(pcscf->dialogs, impu);

	for (; d; d = LIST_NEXT(d, of_user))
		dialog_leave(d);
}

/* Called last by an action: fsm_event() bears that its machine is gone */
static void forget(struct pcscf_reg *reg)
{
	struct pcscf_user *user = reg->user;
	struct pcscf *pcscf = user->pcscf;
	struct pcscf_reg **at = &user->regs;

	while (*at != reg)
		at = &(*at)->next;
	*at = reg->next;
	reg_free(reg);
	if (user->regs)
		return;

	leave_dialogs(pcscf, user->impu);
	tdelete(user, &pcscf->users, compare);
	user_free(user);
}

static void not_registered(void *obj, int event, void *data)
{
	(void)event;
	change(obj, REG_REGISTERED);
	keep(obj, data);
}

static void registered(void *obj, int event, void *data)
{
	const struct pcscf_reg_facts *facts = data;
	struct pcscf_reg *reg = obj;

	if (event == REG_EV_RX_200 && facts->expires_s > 0) {
		keep(reg, facts);
		return;
	}
	change(reg, REG_NOT_REGISTERED);
	forget(reg);
}

static struct pcscf_reg *find_reg(const struct pcscf_user *user,
				  const char *contact)
{
	struct pcscf_reg *reg = user ? user->regs : NULL;

	while (reg && strcmp(reg->contact, contact) != 0)
		reg = reg->next;

	return reg;
}

/** Take in what a 200 said about a contact (TS 24.229 5.2.2.1) */
void pcscf_reg_update(struct pcscf *pcscf, const struct pcscf_reg_facts *facts)
{
	struct pcscf_user *user = pcscf_user_find(pcscf, facts->impu);
	struct pcscf_reg *reg = find_reg(user, facts->contact);

	if (!reg && facts->expires_s <= 0)
		return;

	if (!reg) {
		user = get_user(pcscf, facts->impu);
		reg = xcalloc(1, sizeof(*reg));
		reg->user = user;
		reg->contact = xstrdup(facts->contact);
		reg->fsm = fsm_new(pcscf->el->loop, pcscf->el->trace, &def,
				   facts->impu, reg);
		reg->next = user->regs;
		user->regs = reg;
	}
	(void)fsm_event(reg->fsm, REG_EV_RX_200, (void *)facts);
}

/** Forget each contact of an identity: `Contact: *` was confirmed */
void pcscf_reg_forget_all(struct pcscf *pcscf, const char *impu)
{
	const struct pcscf_reg_facts gone = { .expires_s = 0 };
	const struct pcscf_user *user;

	while ((user = pcscf_user_find(pcscf, impu)))
		(void)fsm_event(user->regs->fsm, REG_EV_RX_200, (void *)&gone);
}

/** Did that identity register from there (IP association, 5.2.6.3)? */
bool pcscf_reg_is_known(const struct pcscf *pcscf, const char *impu,
			const char *source)
{
	const struct pcscf_user *user = pcscf_user_find(pcscf, impu);
	const struct pcscf_reg *reg = user ? user->regs : NULL;

	while (reg && strcmp(reg->source, source) != 0)
		reg = reg->next;

	return reg;
}

/** Is that identity registered, from wherever? */
bool pcscf_reg_has(const struct pcscf *pcscf, const char *impu)
{
	return pcscf_user_find(pcscf, impu) != NULL;
}

void pcscf_regs_free(struct pcscf *pcscf)
{
	tdestroy(pcscf->users, user_free);
	pcscf->users = NULL;
	pcscf_servers_free(pcscf);
}
