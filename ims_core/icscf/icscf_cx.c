/* The I-CSCF's edge to the HSS: Cx (TS 29.228 6.1.1, 6.1.4) */
#include <jansson.h>

#include "common/addr.h"
#include "common/element.h"
#include "common/log.h"
#include "common/timer.h"
#include "ims_core/icscf/icscf_core.h"

static void become_ready(struct icscf *icscf)
{
	if (icscf->is_ready)
		return;

	icscf->is_ready = true;
	timer_stop(icscf->ready_bound);
	element_ready(icscf->el, json_pack("{s:s}", "sip", icscf_addr(icscf)));
}

static void ready_without_hss(void *arg)
{
	const struct icscf *icscf = arg;

	log_warn("icscf: the HSS at %s cannot be reached yet", icscf->hss);
	become_ready(arg);
}

static void on_state(bool is_open, void *arg)
{
	const struct icscf *icscf = arg;

	log_info("icscf: HSS at %s is %s", icscf->hss,
		 is_open ? "connected" : "lost");
	if (is_open)
		become_ready(arg);
}

static void on_uaa(int err, const struct cx_uaa *uaa, void *arg)
{
	icscf_register_rx_uaa(arg, err, uaa);
}

static void on_term(void *arg)
{
	const struct icscf *icscf = arg;

	cx_leave(icscf->cx);
}

/** Connect to the HSS; EINVAL with the reason where the address is wrong */
int icscf_cx_open(struct icscf *icscf, const struct icscf_cfg *cfg,
		  char **reasonp)
{
	char host[ADDR_TEXT_LEN];
	const struct cx_cfg cx = { .address = cfg->hss,
				   .bind = addr_own_host(
					   host, icscf_addr(icscf), cfg->hss),
				   .origin_host = cfg->origin_host,
				   .origin_realm = cfg->realm,
				   .destination_realm = cfg->realm };
	int err = cx_new(&icscf->cx, icscf->el, &cx, reasonp);

	if (err)
		return err;

	cx_on_state(icscf->cx, on_state, icscf);
	element_on_term(icscf->el, on_term, icscf);
	/* a tenth of what the runner waits: the HSS may be the one that is
	 * slow, and it must not be us who is blamed */
	icscf->ready_bound =
		timer_new(icscf->el->loop, ready_without_hss, icscf);
	timer_start_ms(icscf->ready_bound, timer_value_ms(TIMER_READY) / 10);

	return 0;
}

void icscf_cx_close(struct icscf *icscf)
{
	icscf->cx = cx_free(icscf->cx);
	icscf->ready_bound = timer_free(icscf->ready_bound);
}

/** User-Authorization-Request; the answer goes to icscf_register_rx_uaa() */
void icscf_cx_query(struct icscf_register *rq, enum cx_auth_type type)
{
	const struct cx_uar uar = { .impi = rq->impi,
				    .impu = rq->impu,
				    .visited_network = rq->visited_network,
				    .type = type };

	cx_tx_uar(rq->icscf->cx, &uar, on_uaa, rq);
}

static void on_lia(int err, const struct cx_lia *lia, void *arg)
{
	icscf_session_rx_lia(arg, err, lia);
}

/** Location-Info-Request; the answer goes to icscf_session_rx_lia() */
void icscf_cx_locate(struct icscf_session *s)
{
	const struct cx_lir lir = { .impu = s->impu };

	cx_tx_lir(s->icscf->cx, &lir, on_lia, s);
}
