#include <stdlib.h>

#include "common/element.h"
#include "common/opt.h"
#include "common/wipe.h"
#include "terminal/terminal.h"

static const char usage[] =
	"Usage: terminal --appserver URL --ca FILE [--sip ADDR]\n"
	"                [--number N --secret S]\n"
	"User terminals: lease a SIP-URI from the application server by their\n"
	"own number, register with it, give it back. With --number and\n"
	"--secret one UE does all that, and gives back on SIGTERM.";

int main(int argc, char **argv)
{
	struct terminal_cfg cfg = { .sip = "127.0.0.1:0" };
	const struct opt opts[] = {
		{ OPT_STRING, "sip", "ADDR", "SIP address (127.0.0.1:0)",
		  &cfg.sip, NULL, 0, 0 },
		{ OPT_STRING, "appserver", "URL",
		  "application server: https://HOST:PORT", &cfg.appserver, NULL,
		  0, 0 },
		{ OPT_STRING, "ca", "FILE", "PEM, CA of the application server",
		  &cfg.ca, NULL, 0, 0 },
		{ OPT_STRING, "proxy", "SIPURI", "P-CSCF of own accounts",
		  &cfg.proxy, NULL, 0, 0 },
		{ OPT_STRING, "number", "N", "real number, as +8613800138000",
		  &cfg.number, NULL, 0, 0 },
		{ OPT_STRING, "secret", "S", "login secret of the number",
		  &cfg.secret, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	struct element *el = NULL;
	struct terminal *terminal = NULL;
	char *reason = NULL;
	int rc;

	wipe_freed_memory();
	rc = element_new(&el, "terminal", usage, opts, &argc, argv);
	if (rc)
		return rc - 1;

	if (terminal_new(&terminal, el, &cfg, &reason)) {
		rc = element_fail_start(el, "%s", reason);
		free(reason);
	} else {
		element_ready(el, json_pack("{s:s}", "sip",
					    terminal_sip_addr(terminal)));
		rc = element_run(el);
		rc = rc ? rc : terminal_exit_code(terminal);
	}
	terminal_free(terminal);
	element_free(el);

	return rc;
}
