#include <stdlib.h>

#include "boss/boss.h"
#include "common/element.h"
#include "common/opt.h"
#include "common/wipe.h"

#define TEXT(name, arg, text, dst)                                             \
	{                                                                      \
		OPT_STRING, name, arg, text, dst, NULL, 0, 0                   \
	}

static const char usage[] =
	"boss: opens accounts at the HSS by SOAP and gives them to the\n"
	"platform, by text file or message. By hand: once, then it ends.\n"
	"A --store file keeps what is asked for, with passwords, until the\n"
	"platform has it: the next run carries on what was interrupted.\n";

int main(int argc, char **argv)
{
	struct boss_cfg cfg = { .realm = "ims.test", .store = "memory" };
	struct boss_shot shot = { 0 };
	const struct opt opts[] = {
		TEXT("hss", "URL", "https://HOST:8443", &cfg.hss),
		TEXT("platform", "URL", "https://HOST:8443", &cfg.platform),
		TEXT("https", "ADDR", "listen for it: HOST:PORT", &cfg.https),
		TEXT("cert", "FILE", "PEM, certificate and key", &cfg.cert),
		TEXT("ca", "FILE", "PEM, CA of the servers", &cfg.ca),
		TEXT("bind", "ADDR", "local address", &cfg.bind),
		TEXT("realm", "R", "default ims.test", &cfg.realm),
		TEXT("pool-file", "FILE", "the pool", &cfg.pool_file),
		TEXT("store", "FILE", "or memory (default)", &cfg.store),
		TEXT("open-range", "FIRST-LAST", "numbers", &shot.open_range),
		TEXT("rule", "RULE", "sip:{number}@ims.test", &shot.rule),
		TEXT("open-list", "FILE", "NUMBER SIP-URI", &shot.open_list),
		{ OPT_FLAG, "sync-file", "", "by hand: write the pool file",
		  &shot.sync_file, NULL, 0, 0 },
		{ OPT_FLAG, "sync-message", "", "by hand: send the pool",
		  &shot.sync_message, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	struct element *el = NULL;
	struct boss *boss = NULL;
	char *reason = NULL;
	int rc;

	wipe_freed_memory();
	rc = element_new(&el, "boss", usage, opts, &argc, argv);
	if (rc)
		return rc - 1;

	if (boss_new(&boss, el, &cfg, &reason) ||
	    (!el->ctl && boss_shoot(boss, &shot, &reason))) {
		rc = element_fail_start(el, "%s", reason);
	} else {
		element_ready(el, boss_addresses(boss));
		rc = element_run(el);
		rc = boss_has_failed(boss) ? EXIT_FAIL : rc;
	}
	free(reason);
	boss_free(boss);
	element_free(el);

	return rc;
}
