#include "ims_core/hss/hss_core.h"

/**
 * Location-Info (TS 29.228 6.1.4.1): which S-CSCF has the user. No user here
 * has services while not registered, so none is offered an S-CSCF then.
 */
void hss_lir(struct cx_lia *lia, const struct hss_user *user)
{
	if (!hss_check_identities(&lia->result, user, NULL))
		return;

	if (user->reg.state == HSS_NOT_REGISTERED || !user->reg.scscf) {
		lia->result =
			(struct cx_result){ CX_ERROR_IDENTITY_NOT_REGISTERED,
					    true, NULL };
		return;
	}

	lia->result = (struct cx_result){ CX_SUCCESS, false, NULL };
	lia->server_name = user->reg.scscf;
}
