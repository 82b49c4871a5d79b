#include <stdlib.h>

#include "common/element.h"
#include "common/opt.h"
#include "ims_core/scscf/scscf.h"

static const char usage[] =
	"usage: scscf --listen ADDR --hss ADDR [options]\n"
	"S-CSCF of the testbed: registrar and session control (TS 24.229\n"
	"5.4), with the HSS by Cx and the application servers by ISC.\n";

int main(int argc, char **argv)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.1:5060",
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test",
				 .digest = "md5" };
	const struct opt opts[] = {
		{ OPT_STRING, "listen", "ADDR",
		  "SIP, UDP and TCP (127.0.0.1:5060)", &cfg.listen, NULL, 0,
		  0 },
		{ OPT_STRING, "hss", "ADDR",
		  "the HSS's Diameter, as 127.1.1.4:3868; needed", &cfg.hss,
		  NULL, 0, 0 },
		{ OPT_STRING, "icscf", "ADDR", "I-CSCF that calls go to",
		  &cfg.icscf, NULL, 0, 0 },
		{ OPT_STRING, "realm", "R", "home domain (ims.test)",
		  &cfg.realm, NULL, 0, 0 },
		{ OPT_STRING, "origin-host", "H",
		  "Diameter identity (scscf.ims.test)", &cfg.origin_host, NULL,
		  0, 0 },
		{ OPT_STRING, "name", "SIPURI",
		  "Server-Name at the HSS (sip: and --listen)", &cfg.name, NULL,
		  0, 0 },
		{ OPT_STRING, "digest", "ALG",
		  "offered: md5 (default), sha-256 or both, strongest first",
		  &cfg.digest, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	struct element *el = NULL;
	struct scscf *scscf = NULL;
	char *reason = NULL;
	int rc = element_new(&el, "scscf", usage, opts, &argc, argv);

	if (rc)
		return rc - 1;

	if (!cfg.hss)
		rc = element_fail_start(el, "--hss is missing: the HSS's "
					    "address, as 127.1.1.4:3868");
	else if (scscf_new(&scscf, el, &cfg, &reason))
		rc = element_fail_start(el, "%s", reason);
	else
		rc = element_run(el);
	free(reason);
	scscf_free(scscf);
	element_free(el);

	return rc;
}
