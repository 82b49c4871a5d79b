/* Choosing an S-CSCF where the HSS names none: one that has every mandatory
 * capability (TS 24.229 5.3.1.2, TS 29.228 6.7) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "ims_core/icscf/icscf_core.h"

/** An S-CSCF that may be chosen, with what it can */
struct icscf_choice {
	char *uri;
	uint32_t caps[CX_CAPS_MAX];
	size_t cap_n;
};

static int parse(struct icscf_choice *choice, const char *text)
{
	size_t len = strcspn(text, ",");
	const char *p = text + len;

	choice->uri = xstrndup(text, len);
	if (strncasecmp(choice->uri, "sip:", 4) != 0 || len == 4)
		return EINVAL;

	while (*p == ',') {
		char *end;
		unsigned long cap = strtoul(p + 1, &end, 10);

		if (end == p + 1 || cap > UINT32_MAX ||
		    choice->cap_n == CX_CAPS_MAX)
			return EINVAL;
		choice->caps[choice->cap_n++] = (uint32_t)cap;
		p = end;
	}

	return *p ? EINVAL : 0;
}

/** Take the S-CSCFs of the configuration; EINVAL with the reason */
int icscf_choices_set(struct icscf *icscf, const struct icscf_cfg *cfg,
		      char **reasonp)
{
	size_t n = cfg->scscf_n > 0 ? (size_t)cfg->scscf_n : 0;

	icscf->choices = xcalloc(n + 1, sizeof(*icscf->choices));
	for (size_t i = 0; i < n; i++) {
		icscf->choice_n++;
		if (!parse(&icscf->choices[i], cfg->scscfs[i]))
			continue;
		*reasonp = xasprintf("--scscf %s: not of the form "
				     "sip:127.1.1.3:5060 or "
				     "sip:127.1.1.3:5060,CAPABILITY,... with "
				     "at most %d capabilities",
				     cfg->scscfs[i], CX_CAPS_MAX);
		return EINVAL;
	}

	return 0;
}

void icscf_choices_free(struct icscf *icscf)
{
	for (int i = 0; i < icscf->choice_n; i++)
		free(icscf->choices[i].uri);
	free(icscf->choices);
}

static bool has_cap(const struct icscf_choice *choice, uint32_t cap)
{
	for (size_t i = 0; i < choice->cap_n; i++)
		if (choice->caps[i] == cap)
			return true;

	return false;
}

static bool has_all(const struct icscf_choice *choice,
		    const uint32_t *mandatory, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!has_cap(choice, mandatory[i]))
			return false;

	return true;
}

/** The first S-CSCF with every mandatory capability; NULL: there is none */
const char *icscf_select(const struct icscf *icscf, const uint32_t *mandatory,
			 size_t mandatory_n)
{
	for (int i = 0; i < icscf->choice_n; i++)
		if (has_all(&icscf->choices[i], mandatory, mandatory_n))
			return icscf->choices[i].uri;

	return NULL;
}
