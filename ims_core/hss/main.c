#include <stdlib.h>

#include "common/element.h"
#include "common/opt.h"
#include "ims_core/hss/hss.h"

static const char usage[] =
	"hss: Home Subscriber Server. Cx over Diameter (TS 29.228) for I- and\n"
	"S-CSCF; accounts by SOAP over HTTPS, see GET /provisioning?wsdl.\n";

int main(int argc, char **argv)
{
	struct hss_cfg cfg = { .store = "memory", .realm = "ims.test" };
	const struct opt opts[] = {
		{ OPT_STRING, "diameter", "ADDR", "Cx listens here: HOST:3868",
		  &cfg.diameter, NULL, 0, 0 },
		{ OPT_STRING, "soap", "ADDR", "SOAP listens here: HOST:8443",
		  &cfg.soap, NULL, 0, 0 },
		{ OPT_STRING, "store", "FILE", "accounts; or memory (default)",
		  &cfg.store, NULL, 0, 0 },
		{ OPT_STRING, "realm", "R", "home domain (default ims.test)",
		  &cfg.realm, NULL, 0, 0 },
		{ OPT_STRING, "origin-host", "H", "default hss.REALM",
		  &cfg.origin_host, NULL, 0, 0 },
		{ OPT_STRING, "cert", "FILE", "PEM, certificate and key",
		  &cfg.cert, NULL, 0, 0 },
		{ OPT_STRING, "ca", "FILE", "PEM, CA of SOAP clients", &cfg.ca,
		  NULL, 0, 0 },
		{ OPT_STRING, "scscf", "SIPURI", "S-CSCF given to users",
		  &cfg.scscf, NULL, 0, 0 },
		{ OPT_LIST, "appserver", "SIPURI",
		  "AS in the filter criteria (may be repeated: in that order)",
		  &cfg.appservers, NULL, 0, 0 },
		{ OPT_STRING, "soap-client", "CN",
		  "who may provision (default boss; empty: any)",
		  &cfg.soap_client, NULL, 0, 0 },
		{ OPT_LIST, "visited-network", "V",
		  "users may roam into it (default all; may be repeated)",
		  &cfg.visited, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	struct element *el = NULL;
	struct hss *hss = NULL;
	char *reason = NULL;
	int rc = element_new(&el, "hss", usage, opts, &argc, argv);

	if (rc)
		return rc - 1;

	if (hss_new(&hss, el, &cfg, &reason)) {
		rc = element_fail_start(el, "%s", reason);
		free(reason);
	} else {
		element_ready(el, hss_addresses(hss));
		rc = element_run(el);
	}
	hss_free(hss);
	element_free(el);

	return rc;
}
