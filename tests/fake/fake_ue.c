#include "tests/fake/fake_ue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void fake_ue_init(struct fake_ue *ue, struct fake_peer *peer, const char *to)
{
	*ue = (struct fake_ue){
		.peer = peer,
		.to = to,
		.impu = "sip:+8657110000001@ims.test",
		.impi = "+8657110000001@ims.test",
		.password = "secret",
		.realm = "ims.test",
		.uri = "sip:ims.test",
		.call_id = "call-1",
		.expires = "600",
		.extra = "",
		.alg = DIGEST_MD5,
		.nc = 1,
	};
	snprintf(ue->default_contact, sizeof(ue->default_contact),
		 "<sip:ue@%s>", fake_peer_addr(peer));
	ue->contact = ue->default_contact;
}

static void put_credentials(FILE *f, struct fake_ue *ue)
{
	char ha1[DIGEST_HEX_LEN], response[DIGEST_HEX_LEN], nc[9];
	struct digest_input in = { .alg = ue->alg,
				   .ha1 = ha1,
				   .method = "REGISTER",
				   .uri = ue->uri,
				   .nonce = ue->nonce,
				   .nc = nc,
				   .cnonce = "abc",
				   .qop = "auth" };

	snprintf(nc, sizeof(nc), "%08x", ue->nc++);
	digest_ha1(ha1, ue->alg, ue->impi, ue->realm, ue->password);
	digest_response(response, &in);
	fprintf(f,
		"Authorization: Digest username=\"%s\", realm=\"%s\", "
		"nonce=\"%s\", uri=\"%s\", response=\"%s\", algorithm=%s, "
		"qop=auth, nc=%s, cnonce=\"abc\"\n",
		ue->impi, ue->realm, ue->nonce, ue->uri, response,
		digest_alg_name(ue->alg), nc);
}

static void put_register(FILE *f, struct fake_ue *ue, bool has_answer)
{
	fprintf(f, "REGISTER sip:ims.test SIP/2.0\n");
	fprintf(f, "Via: SIP/2.0/%s %s;branch=z9hG4bK-%p-%d\n",
		fake_peer_transport(ue->peer), fake_peer_addr(ue->peer),
		(void *)ue, ue->branch);
	fprintf(f, "From: <%s>;tag=ue\nTo: <%s>\nCall-ID: %s\n", ue->impu,
		ue->impu, ue->call_id);
	fprintf(f, "CSeq: %d REGISTER\nMax-Forwards: 70\n", ue->cseq);
	if (ue->contact)
		fprintf(f, "Contact: %s\n", ue->contact);
	if (ue->expires)
		fprintf(f, "Expires: %s\n", ue->expires);
	if (has_answer)
		put_credentials(f, ue);
	else if (!ue->is_plain)
		fprintf(f,
			"Authorization: Digest username=\"%s\", "
			"realm=\"%s\", nonce=\"\", uri=\"%s\", "
			"response=\"\"\n",
			ue->impi, ue->realm, ue->uri);
	fputs(ue->extra, f);
}

static void tx(struct fake_ue *ue, bool has_answer)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	put_register(f, ue, has_answer);
	fclose(f);
	fake_peer_tx(ue->peer, ue->to, text);
	free(text);
}

void fake_ue_register(struct fake_ue *ue)
{
	ue->cseq++;
	ue->branch++;
	tx(ue, false);
}

void fake_ue_answer(struct fake_ue *ue)
{
	ue->cseq++;
	ue->branch++;
	tx(ue, true);
}

void fake_ue_repeat(struct fake_ue *ue)
{
	if (ue->nc > 1)
		ue->nc--;
	tx(ue, ue->nonce[0]);
}

void fake_ue_take(struct fake_ue *ue, const char *text)
{
	const char *nonce = strstr(text, "nonce=\"");

	ue->nonce[0] = '\0';
	if (nonce)
		snprintf(ue->nonce, sizeof(ue->nonce), "%.*s",
			 (int)strcspn(nonce + 7, "\""), nonce + 7);
	ue->nc = 1;
}

const char *fake_ue_register_through(struct fake_ue *ue, int status)
{
	fake_ue_register(ue);
	fake_ue_take(ue, fake_peer_expect_status(ue->peer, 401));
	fake_ue_answer(ue);

	return fake_peer_expect_status(ue->peer, status);
}
