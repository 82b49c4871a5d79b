#include <stdlib.h>

#include "common/element.h"
#include "common/opt.h"
#include "ims_core/pcscf/pcscf.h"

static const char usage[] =
	"usage: pcscf --listen ADDR --icscf ADDR [options]\n"
	"P-CSCF of the testbed: takes SIP from UEs (Gm) and forwards their\n"
	"REGISTERs to the I-CSCF (TS 24.229 5.2).\n";

int main(int argc, char **argv)
{
	struct pcscf_cfg cfg = { .listen = "127.0.0.1:5060",
				 .realm = "ims.test" };
	const struct opt opts[] = {
		{ OPT_STRING, "listen", "ADDR",
		  "SIP, UDP and TCP (127.0.0.1:5060)", &cfg.listen, NULL, 0,
		  0 },
		{ OPT_STRING, "icscf", "ADDR",
		  "the I-CSCF, as 127.1.1.2:5060 or a SIP URI; needed",
		  &cfg.icscf, NULL, 0, 0 },
		{ OPT_STRING, "realm", "R", "home domain (ims.test)",
		  &cfg.realm, NULL, 0, 0 },
		{ OPT_STRING, "visited-network", "V",
		  "P-Visited-Network-ID (the realm)", &cfg.visited_network,
		  NULL, 0, 0 },
		{ .type = OPT_END },
	};
	struct element *el = NULL;
	struct pcscf *pcscf = NULL;
	char *reason = NULL;
	int rc = element_new(&el, "pcscf", usage, opts, &argc, argv);

	if (rc)
		return rc - 1;

	if (!cfg.icscf)
		rc = element_fail_start(el, "--icscf is missing: where REGISTER"
					    "s go, as 127.1.1.2:5060");
	else if (pcscf_new(&pcscf, el, &cfg, &reason))
		rc = element_fail_start(el, "%s", reason);
	if (!rc) {
		pcscf_ready(pcscf);
		rc = element_run(el);
	}
	free(reason);
	pcscf_free(pcscf);
	element_free(el);

	return rc;
}
