#include "tests/fake/pcscf_bed.h"

#include <stdio.h>
#include <string.h>

#include <check.h>

#include "common/element.h"
#include "common/loop.h"

#define t pcscf_bed
#define IMPU PCSCF_BED_IMPU
#define TEL PCSCF_BED_TEL

struct pcscf_bed pcscf_bed;

static bool is_subscribed(void)
{
	return fake_peer_pending(t.scscf) > 0;
}

void pcscf_bed_register(void)
{
	snprintf(t.ok, sizeof(t.ok),
		 "Contact: %s;expires=600\n"
		 "Service-Route: <sip:orig@%s;lr>\n"
		 "P-Associated-URI: <" IMPU ">, <" TEL ">\n",
		 t.contact, fake_peer_addr(t.scscf));
	t.ue.contact = t.contact;
	fake_ue_register(&t.ue);
	fake_peer_expect(t.icscf, "REGISTER");
	fake_peer_reply(t.icscf, 200, t.ok);
	fake_peer_expect_status(t.ue_peer, 200);
	/* the subscription to the registration is another test's matter */
	fake_peer_expect(t.scscf, "SUBSCRIBE");
	fake_peer_reply(t.scscf, 404, "");
	ck_assert(!is_subscribed());
}

void pcscf_bed_register_stranger(void)
{
	struct fake_ue ue;
	char contact[128];

	snprintf(contact, sizeof(contact), "<sip:ue@%s>",
		 fake_peer_addr(t.stranger_peer));
	fake_ue_init(&ue, t.stranger_peer, pcscf_addr(t.pcscf));
	ue.impu = "sip:stranger@ims.test";
	ue.contact = contact;
	ue.call_id = "stranger";
	fake_ue_register(&ue);
	fake_peer_expect(t.icscf, "REGISTER");
	snprintf(t.ok, sizeof(t.ok),
		 "Contact: %s;expires=600\nService-Route: <sip:orig@%s;lr>\n",
		 contact, fake_peer_addr(t.scscf));
	fake_peer_reply(t.icscf, 200, t.ok);
	fake_peer_expect_status(t.stranger_peer, 200);
	fake_peer_expect(t.scscf, "SUBSCRIBE");
	fake_peer_reply(t.scscf, 404, "");
}

void pcscf_bed_setup(void)
{
	struct pcscf_cfg cfg = { .listen = "127.0.0.1:0", .realm = "ims.test" };
	char *reason = NULL;

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.el = element_new_on(t.loop, "pcscf");
	t.icscf = fake_peer_new(t.loop, FAKE_UDP);
	t.scscf = fake_peer_new(t.loop, FAKE_UDP);
	t.ue_peer = fake_peer_new(t.loop, FAKE_UDP);
	t.stranger_peer = fake_peer_new(t.loop, FAKE_UDP);
	cfg.icscf = fake_peer_addr(t.icscf);
	ck_assert_int_eq(pcscf_new(&t.pcscf, t.el, &cfg, &reason), 0);
	snprintf(t.contact, sizeof(t.contact), "<sip:ue@%s>",
		 fake_peer_addr(t.ue_peer));
	fake_ue_init(&t.ue, t.ue_peer, pcscf_addr(t.pcscf));
	fake_call_init(&t.ue_call, t.ue_peer, pcscf_addr(t.pcscf),
		       "<" IMPU ">");
	fake_call_init(&t.stranger, t.stranger_peer, pcscf_addr(t.pcscf),
		       "<" IMPU ">");
	fake_call_init(&t.net, t.scscf, pcscf_addr(t.pcscf),
		       "<sip:caller@ims.test>");
}

void pcscf_bed_teardown(void)
{
	fake_peer_free(t.icscf);
	fake_peer_free(t.scscf);
	fake_peer_free(t.ue_peer);
	fake_peer_free(t.stranger_peer);
	pcscf_free(t.pcscf);
	element_free(t.el);
	loop_free(t.loop);
}

const char *pcscf_bed_invite_passes(const char *extra)
{
	snprintf(t.ue_call.extra, sizeof(t.ue_call.extra), "%s", extra);
	fake_call_invite(&t.ue_call, "sip:b@ims.test");

	return fake_call_expect(&t.net, "INVITE");
}

void pcscf_bed_contains(const char *text, const char *header, const char *what)
{
	if (!strstr(fake_header(text, header, 0), what))
		ck_abort_msg("no %s with \"%s\":\n%s", header, what, text);
}

void pcscf_bed_call_ue(const char *extra)
{
	char uri[128];

	snprintf(uri, sizeof(uri), "%.*s", (int)strlen(t.contact) - 2,
		 t.contact + 1);
	snprintf(t.net.routes, sizeof(t.net.routes), "<sip:term@%s;lr>",
		 pcscf_addr(t.pcscf));
	snprintf(t.net.extra, sizeof(t.net.extra), "%s", extra);
	fake_call_invite(&t.net, uri);
}
