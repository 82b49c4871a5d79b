#include "sim/sim_super_args.h"

#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/mem.h"
#include "sim/sim_net.h"
#include "sim/sim_proc.h"

/** Where an option's value comes from */
enum source {
	FROM_ADDR, /* the link's address */
	FROM_URI,  /* the link's URI */
	FROM_TEXT,
	FROM_DIR,  /* a file in the run's folder */
	FROM_CERT, /* the element's certificate */
	FROM_STORE,
	FROM_HOST, /* the link's host, without port */
	FROM_BIND, /* the element's own host; left out when all share one */
	FROM_POLICY
};

/** One option of one element's command line */
struct row {
	enum sim_actor actor;
	const char *option;
	enum source source;
	enum sim_link link;
	const char *text;
};

#define POOL_FILE "pool.txt"
#define USERS_FILE "users.txt"
#define CA_FILE "pki/ca.pem"

/* clang-format off */
static const struct row rows[] = {
	{ SIM_HSS, "diameter", FROM_ADDR, SIM_HSS_DIAMETER, NULL },
	{ SIM_HSS, "soap", FROM_ADDR, SIM_HSS_SOAP, NULL },
	{ SIM_HSS, "store", FROM_STORE, 0, NULL },
	{ SIM_HSS, "realm", FROM_TEXT, 0, SIM_REALM },
	{ SIM_HSS, "origin-host", FROM_TEXT, 0, "hss." SIM_REALM },
	{ SIM_HSS, "cert", FROM_CERT, 0, NULL },
	{ SIM_HSS, "ca", FROM_DIR, 0, CA_FILE },
	{ SIM_HSS, "scscf", FROM_URI, SIM_SCSCF_SIP, NULL },
	{ SIM_HSS, "appserver", FROM_URI, SIM_APPSERVER_SIP, NULL },

	{ SIM_ICSCF, "listen", FROM_ADDR, SIM_ICSCF_SIP, NULL },
	{ SIM_ICSCF, "hss", FROM_ADDR, SIM_HSS_DIAMETER, NULL },
	{ SIM_ICSCF, "realm", FROM_TEXT, 0, SIM_REALM },
	{ SIM_ICSCF, "origin-host", FROM_TEXT, 0, "icscf." SIM_REALM },
	/* ready without an HSS is for who starts one by hand: a tenth of this,
	 * which is nearly as long as the runner waits */
	{ SIM_ICSCF, "timer", FROM_TEXT, 0, "ready=90s" },

	{ SIM_SCSCF, "listen", FROM_ADDR, SIM_SCSCF_SIP, NULL },
	{ SIM_SCSCF, "hss", FROM_ADDR, SIM_HSS_DIAMETER, NULL },
	{ SIM_SCSCF, "icscf", FROM_ADDR, SIM_ICSCF_SIP, NULL },
	{ SIM_SCSCF, "realm", FROM_TEXT, 0, SIM_REALM },
	{ SIM_SCSCF, "origin-host", FROM_TEXT, 0, "scscf." SIM_REALM },
	{ SIM_SCSCF, "timer", FROM_TEXT, 0, "ready=90s" },

	{ SIM_PCSCF, "listen", FROM_ADDR, SIM_PCSCF_SIP, NULL },
	{ SIM_PCSCF, "icscf", FROM_ADDR, SIM_ICSCF_SIP, NULL },
	{ SIM_PCSCF, "realm", FROM_TEXT, 0, SIM_REALM },
	{ SIM_PCSCF, "visited-network", FROM_TEXT, 0, SIM_REALM },

	{ SIM_PLATFORM, "https", FROM_ADDR, SIM_PLATFORM_HTTPS, NULL },
	{ SIM_PLATFORM, "sip", FROM_ADDR, SIM_PLATFORM_SIP, NULL },
	{ SIM_PLATFORM, "store", FROM_STORE, 0, NULL },
	{ SIM_PLATFORM, "cert", FROM_CERT, 0, NULL },
	{ SIM_PLATFORM, "ca", FROM_DIR, 0, CA_FILE },
	{ SIM_PLATFORM, "pcscf", FROM_URI, SIM_PCSCF_SIP, NULL },
	{ SIM_PLATFORM, "policy", FROM_POLICY, 0, NULL },
	{ SIM_PLATFORM, "pool-file", FROM_DIR, 0, POOL_FILE },
	{ SIM_PLATFORM, "realm", FROM_TEXT, 0, SIM_REALM },
	{ SIM_PLATFORM, "boss", FROM_URI, SIM_BOSS_HTTPS, NULL },

	{ SIM_APPSERVER, "https", FROM_ADDR, SIM_APPSERVER_HTTPS, NULL },
	{ SIM_APPSERVER, "sip", FROM_ADDR, SIM_APPSERVER_SIP, NULL },
	{ SIM_APPSERVER, "store", FROM_STORE, 0, NULL },
	{ SIM_APPSERVER, "cert", FROM_CERT, 0, NULL },
	{ SIM_APPSERVER, "ca", FROM_DIR, 0, CA_FILE },
	{ SIM_APPSERVER, "scscf", FROM_HOST, SIM_SCSCF_SIP, NULL },
	{ SIM_APPSERVER, "platform", FROM_URI, SIM_PLATFORM_HTTPS, NULL },
	{ SIM_APPSERVER, "users", FROM_DIR, 0, USERS_FILE },
	{ SIM_APPSERVER, "realm", FROM_TEXT, 0, SIM_REALM },
	{ SIM_APPSERVER, "proxy", FROM_URI, SIM_PCSCF_SIP, NULL },
	{ SIM_APPSERVER, "cdr", FROM_DIR, 0, "cdr.csv" },

	{ SIM_BOSS, "store", FROM_STORE, 0, NULL },
	{ SIM_BOSS, "hss", FROM_URI, SIM_HSS_SOAP, NULL },
	{ SIM_BOSS, "https", FROM_ADDR, SIM_BOSS_HTTPS, NULL },
	{ SIM_BOSS, "platform", FROM_URI, SIM_PLATFORM_HTTPS, NULL },
	{ SIM_BOSS, "cert", FROM_CERT, 0, NULL },
	{ SIM_BOSS, "ca", FROM_DIR, 0, CA_FILE },
	{ SIM_BOSS, "bind", FROM_BIND, 0, NULL },
	{ SIM_BOSS, "realm", FROM_TEXT, 0, SIM_REALM },
	{ SIM_BOSS, "pool-file", FROM_DIR, 0, POOL_FILE },

	{ SIM_TERMINAL, "sip", FROM_ADDR, SIM_TERMINAL_SIP, NULL },
	{ SIM_TERMINAL, "appserver", FROM_URI, SIM_APPSERVER_HTTPS, NULL },
	{ SIM_TERMINAL, "ca", FROM_DIR, 0, CA_FILE },
	{ SIM_TERMINAL, "proxy", FROM_URI, SIM_PCSCF_SIP, NULL },
};

/* What comes to it where there are two AS. The users of the second are added
 * to it: a real number is one AS's */
static const struct row rows_of_two[] = {
	{ SIM_HSS, "appserver", FROM_URI, SIM_APPSERVER2_SIP, NULL },
	{ SIM_APPSERVER, "chain", FROM_TEXT, 0, "first" },

	{ SIM_APPSERVER2, "name", FROM_TEXT, 0, "appserver2" },
	{ SIM_APPSERVER2, "https", FROM_ADDR, SIM_APPSERVER2_HTTPS, NULL },
	{ SIM_APPSERVER2, "sip", FROM_ADDR, SIM_APPSERVER2_SIP, NULL },
	{ SIM_APPSERVER2, "store", FROM_STORE, 0, NULL },
	{ SIM_APPSERVER2, "cert", FROM_CERT, 0, NULL },
	{ SIM_APPSERVER2, "ca", FROM_DIR, 0, CA_FILE },
	{ SIM_APPSERVER2, "scscf", FROM_HOST, SIM_SCSCF_SIP, NULL },
	{ SIM_APPSERVER2, "platform", FROM_URI, SIM_PLATFORM_HTTPS, NULL },
	{ SIM_APPSERVER2, "realm", FROM_TEXT, 0, SIM_REALM },
	{ SIM_APPSERVER2, "proxy", FROM_URI, SIM_PCSCF_SIP, NULL },
	{ SIM_APPSERVER2, "cdr", FROM_DIR, 0, "cdr2.csv" },
	{ SIM_APPSERVER2, "chain", FROM_TEXT, 0, "last" },
};
/* clang-format on */

/* value is taken over; NULL: the option is left out */
static void add(struct sim_args *args, const char *option, char *value)
{
	if (!value)
		return;

	args->v = xrealloc(args->v, (size_t)(args->n + 3) * sizeof(char *));
	args->v[args->n++] = xasprintf("--%s", option);
	args->v[args->n++] = value;
	args->v[args->n] = NULL;
}

static char *host_of(const struct sim_net *net, const char *actor)
{
	char host[ADDR_TEXT_LEN];

	sim_net_hosts(net, actor, host, sizeof(host));

	return *host ? xstrdup(host) : NULL;
}

static char *value_of(const struct row *row, const struct sim_super_cfg *cfg)
{
	const char *name = sim_actor_name(row->actor);

	switch (row->source) {
	case FROM_ADDR:
		return xstrdup(sim_net_addr(cfg->net, row->link));
	case FROM_URI:
		return xstrdup(sim_net_uri(cfg->net, row->link));
	case FROM_TEXT:
		return xstrdup(row->text);
	case FROM_DIR:
		return xasprintf("%s/%s", cfg->dir, row->text);
	case FROM_CERT:
		return xasprintf("%s/pki/%s.pem", cfg->dir, name);
	case FROM_HOST:
		return host_of(cfg->net, sim_net_actor(row->link));
	case FROM_BIND:
		return host_of(cfg->net, name);
	case FROM_STORE:
		return cfg->store ? xasprintf("%s/%s.db", cfg->store, name)
				  : xstrdup("memory");
	case FROM_POLICY:
		return cfg->policy ? xstrdup(cfg->policy) : NULL;
	}

	return NULL;
}

/* The last value given holds, so that an extra one overrides ours; of an option
 * that may be given more than once, ours is left out for that */
static bool is_overridden(const struct row *row,
			  const struct sim_super_cfg *cfg)
{
	for (int i = 0; i < cfg->extra_n; i++)
		if (row->actor == SIM_HSS && cfg->extra[i].actor == SIM_HSS &&
		    !strcmp(row->option, "appserver") &&
		    !strcmp(cfg->extra[i].name, "appserver"))
			return true;

	return false;
}

static void add_rows(struct sim_args *args, const struct row *row, size_t n,
		     enum sim_actor actor, const struct sim_super_cfg *cfg)
{
	for (; n; n--, row++)
		if (row->actor == actor && !is_overridden(row, cfg))
			add(args, row->option, value_of(row, cfg));
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/** Fill args with the element's command line; sim_args_clear() frees it */
void sim_args_make(struct sim_args *args, enum sim_actor actor,
		   const struct sim_super_cfg *cfg)
{
	const char *name = sim_actor_name(actor);

	args->v = xcalloc(2, sizeof(char *));
	args->v[0] = xstrdup(name);
	args->n = 1;
	add_rows(args, rows, COUNT(rows), actor, cfg);
	if (cfg->appservers > 1)
		add_rows(args, rows_of_two, COUNT(rows_of_two), actor, cfg);
	if (cfg->is_conducted)
		add(args, "conducted",
		    xasprintf("%lld", (long long)clock_now_us()));
	add(args, "ctl-fd", xasprintf("%d", SIM_PROC_CTL_FD));
	add(args, "log", xasprintf("%s/%s.log", cfg->dir, name));
	for (int i = 0; i < cfg->extra_n; i++)
		if (cfg->extra[i].actor == (int)actor ||
		    cfg->extra[i].actor < 0)
			add(args, cfg->extra[i].name,
			    xstrdup(cfg->extra[i].value));
}

void sim_args_clear(struct sim_args *args)
{
	for (int i = 0; i < args->n; i++)
		free(args->v[i]);
	free(args->v);
	*args = (struct sim_args){ NULL, 0 };
}

/** Where BOSS leaves the batch for the platform; the caller frees it */
char *sim_pool_file(const struct sim_super_cfg *cfg)
{
	return xasprintf("%s/" POOL_FILE, cfg->dir);
}

/** Real numbers and secrets that the AS knows; the caller frees it */
char *sim_users_file(const struct sim_super_cfg *cfg)
{
	return xasprintf("%s/" USERS_FILE, cfg->dir);
}
