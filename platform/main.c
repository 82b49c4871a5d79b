#include <stdlib.h>

#include "common/element.h"
#include "common/opt.h"
#include "platform/platform.h"

int main(int argc, char **argv)
{
	struct plat_cfg cfg = { .store = "memory",
				.policy = "round-robin",
				.realm = "ims.test" };
	const struct opt opts[] = {
		{ OPT_STRING, "https", "ADDR", "listen for HTTPS: HOST:PORT",
		  &cfg.https, NULL, 0, 0 },
		{ OPT_STRING, "sip", "ADDR", "SIP: HOST:PORT", &cfg.sip, NULL,
		  0, 0 },
		{ OPT_STRING, "store", "FILE",
		  "a file, memory (default), or postgresql://…", &cfg.store,
		  NULL, 0, 0 },
		{ OPT_STRING, "cert", "FILE", "PEM, our certificate and key",
		  &cfg.cert, NULL, 0, 0 },
		{ OPT_STRING, "ca", "FILE", "PEM, the CA of all certificates",
		  &cfg.ca, NULL, 0, 0 },
		{ OPT_STRING, "pcscf", "SIPURI",
		  "P-CSCF that deregistrations are sent to", &cfg.pcscf, NULL,
		  0, 0 },
		{ OPT_STRING, "policy", "POLICY", "round-robin or idle-queue",
		  &cfg.policy, NULL, 0, 0 },
		{ OPT_STRING, "pool-file", "FILE",
		  "lines `SIP-URI IMPI password realm`, read at start and "
		  "whenever it is replaced",
		  &cfg.pool_file, NULL, 0, 0 },
		{ OPT_STRING, "realm", "REALM",
		  "home domain (default ims.test)", &cfg.realm, NULL, 0, 0 },
		{ OPT_STRING, "boss", "URL",
		  "BOSS that gives a lease its password", &cfg.boss, NULL, 0,
		  0 },
		{ OPT_INT, "waiting-max", "N", "apply messages that may wait",
		  &cfg.waiting_max, NULL, 0, 100000 },
		{ .type = OPT_END },
	};
	struct element *el = NULL;
	struct plat *plat = NULL;
	char *reason = NULL;
	int code = element_new(&el, "platform",
			       "platform: lends SIP-URIs and takes them back",
			       opts, &argc, argv);

	if (code)
		return code - 1;

	if (plat_new(&plat, el, &cfg, &reason))
		code = element_fail_start(el, "%s", reason);
	else
		code = element_run(el);
	free(reason);
	plat_free(plat);
	element_free(el);

	return code;
}
