#include "ims_core/pcscf/pcscf.h"

#include <stdlib.h>

#include <jansson.h>

#include "common/dialog.h"
#include "common/element.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "ims_core/pcscf/pcscf_reg_event.h"

/**
 * A P-CSCF that listens
 *
 * @param reasonp On failure: what, where and what to do, to be freed
 *
 * @return 0, or the errno of listening
 */
int pcscf_new(struct pcscf **pp, struct element *el,
	      const struct pcscf_cfg *cfg, char **reasonp)
{
	struct pcscf *pcscf = xcalloc(1, sizeof(*pcscf));
	int err;

	pcscf->el = el;
	pcscf->icscf = xstrdup(cfg->icscf);
	pcscf->realm = xstrdup(cfg->realm);
	pcscf->visited_network = xstrdup(
		cfg->visited_network ? cfg->visited_network : cfg->realm);
	pcscf->dialogs = dialog_table_new(el, PCSCF_DIALOG_MAX);
	err = pcscf_sip_open(pcscf, cfg->listen, reasonp);
	if (err) {
		pcscf_free(pcscf);
		return err;
	}
	pcscf->addr = xstrdup(sipep_addr(pcscf->ep));
	*pp = pcscf;

	return 0;
}

struct pcscf *pcscf_free(struct pcscf *pcscf)
{
	if (!pcscf)
		return NULL;

	pcscf_reg_event_close(pcscf);
	pcscf_sip_close(pcscf);
	while (pcscf->registers)
		pcscf_register_free(pcscf->registers);
	pcscf_sessions_free(pcscf);
	pcscf->dialogs = dialog_table_free(pcscf->dialogs);
	pcscf_regs_free(pcscf);
	free(pcscf->icscf);
	free(pcscf->realm);
	free(pcscf->visited_network);
	free(pcscf->addr);
	free(pcscf);

	return NULL;
}

/** Where it listens: "127.1.1.1:5060" */
const char *pcscf_addr(const struct pcscf *pcscf)
{
	return pcscf->addr;
}

/** Say that it is ready: it needs nothing but its own address */
void pcscf_ready(const struct pcscf *pcscf)
{
	element_ready(pcscf->el, json_pack("{s:s}", "sip", pcscf->addr));
}
