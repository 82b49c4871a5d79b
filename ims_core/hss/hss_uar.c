#include <string.h>

#include "ims_core/hss/hss_core.h"

/**
 * Steps 1 and 2 of every procedure: the identities exist and belong together
 *
 * @param result Set if not
 * @param impi   The request's private identity; NULL: it has none
 */
bool hss_check_identities(struct cx_result *result, const struct hss_user *user,
			  const char *impi)
{
	bool is_known = user && (!impi || user->is_impi_known);

	if (is_known && (!impi || !strcmp(user->impi, impi)))
		return true;

	*result = (struct cx_result){
		is_known ? CX_ERROR_IDENTITIES_DONT_MATCH
			 : CX_ERROR_USER_UNKNOWN,
		true,
		is_known ? "User-Name and Public-Identity are not of one user"
			 : "User-Name or Public-Identity is not known here",
	};

	return false;
}

/* Some P-CSCFs' quotes come through the I-CSCF with the header's value */
static bool is_network(const char *name, const char *visited)
{
	size_t n = strlen(name);

	if (*visited == '"' && strlen(visited) == n + 2)
		visited++;
	else if (strlen(visited) != n)
		return false;

	return !strncasecmp(visited, name, n);
}

static bool may_roam(const struct hss *hss, const char *visited)
{
	if (!hss->visited_n)
		return true;
	for (int i = 0; i < hss->visited_n; i++)
		if (visited && is_network(hss->visited[i], visited))
			return true;

	return false;
}

static struct cx_result experimental(uint32_t code, const char *text)
{
	return (struct cx_result){ code, true, text };
}

/**
 * User-Authorization (TS 29.228 6.1.1.1): may the user register here, and
 * which S-CSCF has them. S503, S504: [0092] [0093]; S513, S514: [0102] [0103]
 */
void hss_uar(struct cx_uaa *uaa, const struct hss *hss,
	     const struct hss_user *user, const struct cx_uar *uar)
{
	const struct hss_reg *reg;

	if (!hss_check_identities(&uaa->result, user, uar->impi))
		return;

	reg = &user->reg;
	if (uar->type == CX_DE_REGISTRATION) {
		/* a deregistration is let through from anywhere */
		uaa->result = (struct cx_result){ CX_SUCCESS, false, NULL };
		uaa->server_name = reg->scscf;
		if (reg->state == HSS_NOT_REGISTERED || !reg->scscf) {
			uaa->result = experimental(
				CX_ERROR_IDENTITY_NOT_REGISTERED, NULL);
			uaa->server_name = NULL;
		}
		return;
	}
	if (!may_roam(hss, uar->visited_network)) {
		uaa->result = experimental(CX_ERROR_ROAMING_NOT_ALLOWED,
					   "not a Visited-Network-Identifier "
					   "that users may roam into");
		return;
	}
	if (uar->type == CX_REGISTRATION_AND_CAPABILITIES) {
		/* the S-CSCF known is of no use: a new one is sought */
		uaa->result = (struct cx_result){ CX_SUCCESS, false, NULL };
		uaa->server_name = hss->scscf;
		return;
	}

	/* the name that a MAR left counts: the second REGISTER must come to
	 * the S-CSCF that made the challenge */
	uaa->server_name = reg->scscf ? reg->scscf : hss->scscf;
	uaa->result = experimental(reg->scscf ? CX_SUBSEQUENT_REGISTRATION
					      : CX_FIRST_REGISTRATION,
				   NULL);
}
