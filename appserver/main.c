#include <stdlib.h>

#include "appserver/appserver.h"
#include "common/element.h"
#include "common/opt.h"

static const char usage[] =
	"Usage: appserver --platform URL --cert FILE --ca FILE --proxy SIPURI\n"
	"                 [--https ADDR] [--sip ADDR] [--store FILE] ...\n"
	"Application server: lends SIP-URIs of the platform to terminals that\n"
	"log in with their real number, and takes them back.";

int main(int argc, char **argv)
{
	struct appserver_cfg cfg = { .https = "127.0.0.1:8443",
				     .sip = "127.0.0.1:5060",
				     .store = "memory",
				     .realm = "ims.test" };
	/* clang-format off: a table */
	const struct opt opts[] = {
		{ OPT_STRING, "https", "ADDR",
		  "HTTPS, for terminals (127.0.0.1:8443)", &cfg.https, NULL, 0,
		  0 },
		{ OPT_STRING, "sip", "ADDR",
		  "SIP, for the S-CSCF (127.0.0.1:5060)", &cfg.sip, NULL, 0,
		  0 },
		{ OPT_STRING, "scscf", "HOST",
		  "take SIP from this host alone (any)", &cfg.scscf, NULL, 0,
		  0 },
		{ OPT_STRING, "platform", "URL",
		  "the platform: https://HOST:PORT", &cfg.platform, NULL, 0,
		  0 },
		{ OPT_STRING, "cert", "FILE", "own certificate and key (PEM)",
		  &cfg.cert, NULL, 0, 0 },
		{ OPT_STRING, "ca", "FILE",
		  "CA certificate (PEM) of the platform", &cfg.ca, NULL, 0, 0 },
		{ OPT_STRING, "store", "FILE",
		  "bindings and logins; \"memory\" is the default", &cfg.store,
		  NULL, 0, 0 },
		{ OPT_STRING, "users", "FILE",
		  "who may log in: lines \"number secret\"", &cfg.users, NULL,
		  0, 0 },
		{ OPT_STRING, "realm", "R", "the IMS's domain (ims.test)",
		  &cfg.realm, NULL, 0, 0 },
		{ OPT_STRING, "proxy", "SIPURI",
		  "P-CSCF that terminals are told", &cfg.proxy, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	/* clang-format on */
	struct element *el = NULL;
	struct appserver *as = NULL;
	char *reason = NULL;
	int rc = element_new(&el, "appserver", usage, opts, &argc, argv);

	if (rc)
		return rc - 1;

	if (as_new(&as, el, &cfg, &reason)) {
		rc = element_fail_start(el, "%s", reason);
		free(reason);
	} else {
		rc = element_run(el);
	}
	as_free(as);
	element_free(el);

	return rc;
}
