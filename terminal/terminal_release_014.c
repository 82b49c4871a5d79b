/* Releasing unit 014 (CN103516675A [0135], [0137]): frees the SIP-URI, and
 * what belongs to it, from memory.
 *
 * Where the password has been, and who wipes it there:
 *  - struct ue_lease, one block: here;
 *  - the digest client's copy: sipreg_free(), called here;
 *  - buffers of TLS, HTTP, JSON and the trace that carried S407: as each is
 *    freed, for the process runs with wipe_freed_memory() (common/wipe.h).
 * The SIP-URI itself is public in the IMS: it also stands in the SIP messages
 * of the registration, which the stack keeps until Timer K (RFC 3261 17.1.2.2)
 * and then frees. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sipreg.h"
#include "common/trace.h"
#include "terminal/terminal_call.h"
#include "terminal/terminal_core.h"
#include "terminal/terminal_lease.h"

/** Overwrite and free a lease; gives NULL */
struct ue_lease *ue_lease_wipe(struct ue_lease *lease)
{
	if (lease) {
		OPENSSL_cleanse(lease, lease->size);
		free(lease);
	}

	return NULL;
}

/**
 * Forget SIP-URI and password, and end the calls made by them. After S412:
 * [0120], [0137]
 *
 * The UE does not deregister: the platform does (S413: [0121]).
 *
 * @param why For log and trace: "released", "max-use", "expired", "ends"
 */
void ue_forget(struct ue *ue, const char *why)
{
	if (!ue->lease)
		return;

	ue_calls_forget(ue);
	ue->is_registered = false;
	xstrset(&ue->service_route, NULL);
	ue->sipreg = sipreg_free(ue->sipreg);
	ue->lease = ue_lease_wipe(ue->lease);
	log_info("terminal ue%u %s: SIP-URI and password wiped: %s", ue->id,
		 ue->number, why);
	trace_event(ue->terminal->el->trace, "ue.wiped",
		    json_pack("{s:s, s:s}", "number", ue->number, "why", why));
}

/** Whether the UE holds a SIP-URI and a password */
bool ue_holds_secret(const struct ue *ue)
{
	return ue->lease || ue->sipreg;
}
