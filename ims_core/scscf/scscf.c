#include "ims_core/scscf/scscf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/dialog.h"
#include "common/element.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "ims_core/scscf/scscf_auth.h"
#include "ims_core/scscf/scscf_reg_event.h"
#include "ims_core/scscf/scscf_release.h"
#include "ims_core/scscf/scscf_session.h"

static void cmd_registrations(struct ctl_req *req, json_t *args, void *arg)
{
	(void)args;
	ctl_ok(req, scscf_regs_json(arg));
}

static const struct ctl_cmd commands[] = {
	{ "registrations", cmd_registrations }, { NULL, NULL }
};

static int set_algorithms(struct scscf *scscf, const char *digest,
			  char **reasonp)
{
	bool is_both = !digest || !strcasecmp(digest, "both");

	scscf->is_offered[DIGEST_MD5] = is_both || !strcasecmp(digest, "md5");
	scscf->is_offered[DIGEST_SHA256] =
		is_both || !strcasecmp(digest, "sha-256");
	if (scscf->is_offered[DIGEST_MD5] || scscf->is_offered[DIGEST_SHA256])
		return 0;

	*reasonp = xasprintf("--digest %s: not md5, sha-256 or both", digest);

	return EINVAL;
}

/**
 * An S-CSCF that listens and connects to the HSS. It reports ready by itself:
 * once the Cx peer is open, or after a tenth of TIMER_READY without it: an
 * HSS that is down must not keep the testbed from starting, and each REGISTER
 * says so (504) until the HSS is there.
 *
 * @param reasonp On failure: what, where and what to do, to be freed
 *
 * @return 0, EINVAL for a bad option, or the errno of listening
 */
int scscf_new(struct scscf **sp, struct element *el,
	      const struct scscf_cfg *cfg, char **reasonp)
{
	struct scscf *scscf = xcalloc(1, sizeof(*scscf));
	int err;

	scscf->el = el;
	scscf->hss = xstrdup(cfg->hss);
	scscf->icscf = xstrdup(cfg->icscf);
	scscf->realm = xstrdup(cfg->realm);
	scscf->origin_host = xstrdup(cfg->origin_host);
	scscf->dialogs = dialog_table_new(el, SCSCF_DIALOG_MAX);
	err = set_algorithms(scscf, cfg->digest, reasonp);
	if (!err)
		err = scscf_sip_open(scscf, cfg->listen, reasonp);
	if (!err)
		scscf->name =
			cfg->name ? xstrdup(cfg->name)
				  : xasprintf("sip:%s", sipep_addr(scscf->ep));
	if (!err)
		err = scscf_cx_open(scscf, cfg->hss, reasonp);
	if (err) {
		scscf_free(scscf);
		return err;
	}
	element_commands(el, commands, scscf);
	*sp = scscf;

	return 0;
}

struct scscf *scscf_free(struct scscf *scscf)
{
	if (!scscf)
		return NULL;

	scscf_third_parties_free(scscf);
	scscf_reg_event_close(scscf);
	scscf_releases_free(scscf);
	scscf_cx_close(scscf);
	scscf_sip_close(scscf);
	scscf_sessions_free(scscf);
	scscf->dialogs = dialog_table_free(scscf->dialogs);
	scscf_regs_free(scscf);
	scscf_revoked_free(scscf);
	free(scscf->hss);
	free(scscf->icscf);
	free(scscf->realm);
	free(scscf->origin_host);
	free(scscf->name);
	free(scscf);

	return NULL;
}

/** Where it listens for SIP: "127.1.1.3:5060" */
const char *scscf_addr(const struct scscf *scscf)
{
	return sipep_addr(scscf->ep);
}
