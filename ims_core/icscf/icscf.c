#include "ims_core/icscf/icscf.h"

#include <stdlib.h>

#include "common/mem.h"
#include "common/sipep.h"
#include "ims_core/icscf/icscf_core.h"

/**
 * An I-CSCF that listens and connects to the HSS. It reports ready by itself:
 * once the Cx peer is open, or after a tenth of TIMER_READY without it: an
 * HSS that is down must not keep the testbed from starting, and each REGISTER
 * says so (480) until the HSS is there.
 *
 * @param reasonp On failure: what, where and what to do, to be freed
 *
 * @return 0, EINVAL for a bad option, or the errno of listening
 */
int icscf_new(struct icscf **ip, struct element *el,
	      const struct icscf_cfg *cfg, char **reasonp)
{
	struct icscf *icscf = xcalloc(1, sizeof(*icscf));
	int err;

	icscf->el = el;
	icscf->hss = xstrdup(cfg->hss);
	icscf->realm = xstrdup(cfg->realm);
	icscf->origin_host = xstrdup(cfg->origin_host);
	err = icscf_choices_set(icscf, cfg, reasonp);
	if (!err)
		err = icscf_sip_open(icscf, cfg->listen, reasonp);
	if (!err)
		err = icscf_cx_open(icscf, cfg, reasonp);
	if (err) {
		icscf_free(icscf);
		return err;
	}
	*ip = icscf;

	return 0;
}

struct icscf *icscf_free(struct icscf *icscf)
{
	if (!icscf)
		return NULL;

	while (icscf->registers)
		icscf_sip_drop(icscf->registers);
	while (icscf->sessions)
		icscf_session_drop(icscf->sessions);
	icscf_cx_close(icscf);
	icscf_sip_close(icscf);
	icscf_choices_free(icscf);
	free(icscf->hss);
	free(icscf->realm);
	free(icscf->origin_host);
	free(icscf);

	return NULL;
}

/** Where it listens for SIP: "127.1.1.2:5060" */
const char *icscf_addr(const struct icscf *icscf)
{
	return sipep_addr(icscf->ep);
}
