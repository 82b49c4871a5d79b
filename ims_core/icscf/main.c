#include <stdlib.h>

#include "common/element.h"
#include "common/opt.h"
#include "ims_core/icscf/icscf.h"

static const char usage[] =
	"usage: icscf --listen ADDR --hss ADDR [options]\n"
	"I-CSCF of the testbed: asks the HSS (Cx) who serves a user and sends\n"
	"the request there (TS 24.229 5.3).\n";

int main(int argc, char **argv)
{
	struct icscf_cfg cfg = { .listen = "127.0.0.1:5060",
				 .realm = "ims.test",
				 .origin_host = "icscf.ims.test" };
	struct opt_list scscfs = { .n = 0 };
	const struct opt opts[] = {
		{ OPT_STRING, "listen", "ADDR",
		  "SIP, UDP and TCP (127.0.0.1:5060)", &cfg.listen, NULL, 0,
		  0 },
		{ OPT_STRING, "hss", "ADDR",
		  "the HSS's Diameter, as 127.1.1.4:3868; needed", &cfg.hss,
		  NULL, 0, 0 },
		{ OPT_STRING, "realm", "R", "home domain (ims.test)",
		  &cfg.realm, NULL, 0, 0 },
		{ OPT_STRING, "origin-host", "H",
		  "Diameter identity (icscf.ims.test)", &cfg.origin_host, NULL,
		  0, 0 },
		{ OPT_LIST, "scscf", "URI[,CAP,...]",
		  "an S-CSCF to choose where the HSS names none", &scscfs, NULL,
		  0, 0 },
		{ .type = OPT_END },
	};
	struct element *el = NULL;
	struct icscf *icscf = NULL;
	char *reason = NULL;
	int rc = element_new(&el, "icscf", usage, opts, &argc, argv);

	if (rc)
		return rc - 1;

	cfg.scscfs = scscfs.v;
	cfg.scscf_n = scscfs.n;
	if (!cfg.hss)
		rc = element_fail_start(el, "--hss is missing: the HSS's "
					    "address, as 127.1.1.4:3868");
	else if (icscf_new(&icscf, el, &cfg, &reason))
		rc = element_fail_start(el, "%s", reason);
	else
		rc = element_run(el);
	free(reason);
	icscf_free(icscf);
	element_free(el);

	return rc;
}
