/* The bindings of a public identity (RFC 3261 10.3, steps 6 to 8) */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/timer.h"
#include "ims_core/scscf/scscf_reg.h"
#include "ims_core/scscf/scscf_release.h"

static bool is_star(const sip_t *sip)
{
	return sip->sip_contact && sip->sip_contact->m_url->url_type == url_any;
}

/** What is wrong with the Contacts of a REGISTER, static; NULL: nothing */
const char *scscf_contacts_malformed(const sip_t *sip)
{
	const sip_contact_t *m = sip->sip_contact;

	if (is_star(sip) &&
	    (m->m_next || !sip->sip_expires || sip->sip_expires->ex_delta != 0))
		return "Contact: * must be the only one, with Expires: 0 "
		       "(RFC 3261 10.2.2)";
	for (; m && !is_star(sip); m = m->m_next)
		if ((m->m_url->url_type != url_sip &&
		     m->m_url->url_type != url_sips) ||
		    !m->m_url->url_host)
			return "a Contact is not a SIP URI";

	return NULL;
}

/* Seconds granted: what is asked for, at most what we give; 0: take away */
static int64_t granted_s(const sip_contact_t *m, const sip_t *sip)
{
	sip_time_t max_s =
		(sip_time_t)(timer_value_ms(TIMER_REG_EXPIRES) / 1000);
	sip_time_t asked_s = sip_contact_expires(m, sip->sip_expires,
						 sip->sip_date, max_s, 0);

	return (int64_t)(asked_s < max_s ? asked_s : max_s);
}

/** Is a Contact to be bound for a shorter time than allowed (423)? */
bool scscf_contacts_is_brief(const sip_t *sip)
{
	int64_t min_s = timer_value_ms(TIMER_REG_MIN_EXPIRES) / 1000;
	const sip_contact_t *m = sip->sip_contact;

	for (; m && !is_star(sip); m = m->m_next) {
		int64_t s = granted_s(m, sip);

		if (s > 0 && s < min_s)
			return true;
	}

	return false;
}

static bool is_same(const struct scscf_contact *c, const sip_contact_t *m)
{
	return !url_cmp_all(c->url, m->m_url);
}

/* What the request says about a binding; NULL: nothing */
static const sip_contact_t *find_in(const sip_t *sip,
				    const struct scscf_contact *c)
{
	const sip_contact_t *m = sip->sip_contact;

	while (m && m->m_url->url_type != url_any && !is_same(c, m))
		m = m->m_next;

	return m;
}

/** Is it an old REGISTER that comes late: the Call-ID of a binding it names,
 * with a CSeq that is not higher (RFC 3261 10.3 steps 6, 7)? */
bool scscf_contacts_is_stale(const struct scscf_reg *reg, const sip_t *sip)
{
	const struct scscf_contact *c = reg->contacts;

	for (; c; c = c->next)
		if (find_in(sip, c) &&
		    !strcmp(c->call_id, sip->sip_call_id->i_id) &&
		    sip->sip_cseq->cs_seq <= c->cseq)
			return true;

	return false;
}

/** Will a binding be left when the REGISTER is done? */
bool scscf_contacts_will_remain(const struct scscf_reg *reg, const sip_t *sip)
{
	const struct scscf_contact *c = reg->contacts;
	const sip_contact_t *m = sip->sip_contact;

	for (; c; c = c->next)
		if (!find_in(sip, c))
			return true;
	for (; m && !is_star(sip); m = m->m_next)
		if (granted_s(m, sip) > 0)
			return true;

	return false;
}

static void contact_free(struct scscf_contact *c)
{
	su_free(NULL, c->url);
	free(c->uri);
	free(c->call_id);
	free(c->q);
	free(c->path);
	free(c);
}

static void remove_at(struct scscf_contact **at)
{
	struct scscf_contact *c = *at;

	*at = c->next;
	contact_free(c);
}

/* Its sessions end (TS 24.229 5.4.1.4, 5.4.1.5) */
static void end_at(const struct scscf_reg *reg, struct scscf_contact **at,
		   const char *reason)
{
	scscf_release(reg, (*at)->url, reason);
	remove_at(at);
}

static struct scscf_contact *bind_new(struct scscf_reg *reg,
				      const sip_contact_t *m)
{
	struct scscf_contact **at = &reg->contacts;
	struct scscf_contact *c = xcalloc(1, sizeof(*c));
	char *uri;

	c->url = url_hdup(NULL, m->m_url);
	uri = url_as_string(NULL, m->m_url);
	c->uri = xstrdup(uri);
	su_free(NULL, uri);
	while (*at)
		at = &(*at)->next;
	*at = c;

	return c;
}

static void bind_contact(struct scscf_reg *reg, const sip_contact_t *m,
			 const sip_t *sip)
{
	struct scscf_contact **at = &reg->contacts;
	int64_t s = granted_s(m, sip);
	struct scscf_contact *c;

	while (*at && !is_same(*at, m))
		at = &(*at)->next;
	if (s <= 0) {
		if (*at)
			end_at(reg, at, SCSCF_REASON_USER);
		return;
	}

	c = *at ? *at : bind_new(reg, m);
	xstrset(&c->call_id, sip->sip_call_id->i_id);
	xstrset(&c->q, m->m_q);
	c->cseq = sip->sip_cseq->cs_seq;
	c->expires_us = clock_now_us() + s * 1000000;
	/* RFC 3327 5.3: requests to this contact go this way */
	free(c->path);
	c->path = NULL;
	if (sip->sip_path) {
		char *path = sip_header_as_string(
			NULL, (const sip_header_t *)sip->sip_path);

		c->path = xstrdup(path);
		su_free(NULL, path);
	}
}

/** Add, refresh and take away what the REGISTER says */
void scscf_contacts_apply(struct scscf_reg *reg, const sip_t *sip)
{
	const sip_contact_t *m = sip->sip_contact;

	if (is_star(sip)) {
		scscf_contacts_free(reg);
		return;
	}
	for (; m; m = m->m_next)
		bind_contact(reg, m, sip);
}

void scscf_contacts_drop_expired(struct scscf_reg *reg)
{
	struct scscf_contact **at = &reg->contacts;
	int64_t now_us = clock_now_us();

	while (*at) {
		if ((*at)->expires_us <= now_us)
			end_at(reg, at, SCSCF_REASON_EXPIRED);
		else
			at = &(*at)->next;
	}
}

void scscf_contacts_free(struct scscf_reg *reg)
{
	while (reg->contacts)
		remove_at(&reg->contacts);
}

/* Rounded up, so that what is told as 0 s is really over */
static int64_t left_us(const struct scscf_contact *c)
{
	int64_t us = c->expires_us - clock_now_us();

	return us > 0 ? us : 0;
}

/** Until the first binding ends, in ms, rounded up */
int64_t scscf_contacts_first_ms(const struct scscf_reg *reg)
{
	int64_t first_us = INT64_MAX - 999;

	for (const struct scscf_contact *c = reg->contacts; c; c = c->next)
		if (left_us(c) < first_us)
			first_us = left_us(c);

	return (first_us + 999) / 1000;
}

/** Until the last binding ends, in seconds, rounded up */
int64_t scscf_contacts_last_s(const struct scscf_reg *reg)
{
	int64_t last_us = 0;

	for (const struct scscf_contact *c = reg->contacts; c; c = c->next)
		if (left_us(c) > last_us)
			last_us = left_us(c);

	return (last_us + 999999) / 1000000;
}

/** Contact lines of a 200, with the seconds left; to be freed */
char *scscf_contacts_text(const struct scscf_reg *reg)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	for (const struct scscf_contact *c = reg->contacts; c; c = c->next)
		fprintf(f, "Contact: <%s>;expires=%lld%s%s\r\n", c->uri,
			(long long)((left_us(c) + 999999) / 1000000),
			c->q ? ";q=" : "", c->q ? c->q : "");
	fclose(f);

	return text;
}
