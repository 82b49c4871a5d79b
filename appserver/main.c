#include <stdlib.h>

#include "appserver/appserver.h"
#include "common/element.h"
#include "common/opt.h"

#define TEXT(name, arg, text, field)                                           \
	{                                                                      \
		OPT_STRING, name, arg, text, &cfg.field, NULL, 0, 0            \
	}

static const char usage[] =
	"Usage: appserver --platform URL --cert FILE --ca FILE --proxy SIPURI\n"
	"                 [--https ADDR] [--sip ADDR] [--store FILE] ...\n"
	"Application server: lends SIP-URIs of the platform to terminals that\n"
	"log in with their real number, and takes them back. It is in the "
	"path\n"
	"of their calls, and charges them.";

int main(int argc, char **argv)
{
	struct appserver_cfg cfg = { .https = "127.0.0.1:8443",
				     .sip = "127.0.0.1:5060",
				     .store = "memory",
				     .realm = "ims.test",
				     .number_policy = "replace",
				     .calls_max = 4 };
	const struct opt opts[] = {
		TEXT("https", "ADDR", "HTTPS, for terminals (127.0.0.1:8443)",
		     https),
		TEXT("sip", "ADDR", "SIP, for the S-CSCF (127.0.0.1:5060)",
		     sip),
		TEXT("scscf", "HOST", "take SIP from this host alone (any)",
		     scscf),
		TEXT("platform", "URL", "the platform: https://HOST:PORT",
		     platform),
		TEXT("cert", "FILE", "own certificate and key (PEM)", cert),
		TEXT("ca", "FILE", "CA certificate (PEM) of the platform", ca),
		TEXT("store", "FILE", "bindings, logins, records (\"memory\")",
		     store),
		TEXT("users", "FILE", "who may log in: lines \"number secret\"",
		     users),
		TEXT("realm", "R", "the IMS's domain (ims.test)", realm),
		TEXT("proxy", "SIPURI", "P-CSCF that terminals are told",
		     proxy),
		TEXT("cdr", "FILE", "charging records, CSV (none)", cdr),
		TEXT("number-policy", "POLICY",
		     "for a call under a foreign number: "
		     "replace it, or refuse (replace)",
		     number_policy),
		TEXT("chain", "PLACE",
		     "of the AS that calls pass: alone, first, last (alone)",
		     chain),
		{ OPT_INT, "calls-per-number", "N", "made at once (4)",
		  &cfg.calls_max, NULL, 1, 1000 },
		{ .type = OPT_END },
	};
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
