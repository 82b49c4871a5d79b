#include "terminal/terminal_sdp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sdp.h>

#include "common/mem.h"

enum { MEDIA_MAX = 16 }; /* lines of an offer; each costs one of the answer */

static char *session_lines(const struct ue_sdp_local *local)
{
	const char *type = strchr(local->host, ':') ? "IP6" : "IP4";

	return xasprintf("v=0\r\n"
			 "o=- %" PRIu64 " %u IN %s %s\r\n"
			 "s=-\r\n"
			 "c=IN %s %s\r\n"
			 "t=0 0\r\n",
			 local->id, local->version, type, local->host, type,
			 local->host);
}

/* No RTCP: RFC 3556 2; TS 26.114 6.2.5 */
static char *audio_lines(int port, const char *formats, const char *maps,
			 const char *mode)
{
	return xasprintf("m=audio %d RTP/AVP %s\r\n"
			 "b=RS:0\r\n"
			 "b=RR:0\r\n"
			 "%s"
			 "a=ptime:20\r\n"
			 "a=%s\r\n",
			 port, formats, maps, mode);
}

/** An offer of both codecs, sendrecv; the caller's to free */
char *ue_sdp_offer(const struct ue_sdp_local *local)
{
	char *session = session_lines(local);
	char *audio = audio_lines(local->port, "8 0",
				  "a=rtpmap:8 PCMA/8000\r\n"
				  "a=rtpmap:0 PCMU/8000\r\n",
				  "sendrecv");
	char *text = xasprintf("%s%s", session, audio);

	free(session);
	free(audio);

	return text;
}

static const struct sdp_connection_s *find_address(const sdp_media_t *m)
{
	const sdp_connection_t *c = sdp_media_connections(m);

	return c && c->c_nettype == sdp_net_in && !c->c_mcast ? c : NULL;
}

/* Whether this line is audio that we can do; the first such format counts, for
 * they stand in the order of preference (RFC 3264 6.1) */
static bool is_ours(struct ue_sdp_remote *remote, const sdp_media_t *m)
{
	const sdp_connection_t *c = find_address(m);

	if (m->m_type != sdp_media_audio || m->m_proto != sdp_proto_rtp ||
	    m->m_rejected || !m->m_port || m->m_port > UINT16_MAX || !c ||
	    !c->c_address || strlen(c->c_address) >= sizeof(remote->host))
		return false;

	for (const sdp_rtpmap_t *rm = m->m_rtpmaps; rm; rm = rm->rm_next) {
		if ((rm->rm_pt != RTP_PCMU && rm->rm_pt != RTP_PCMA) ||
		    rm->rm_rate != 8000)
			continue;
		snprintf(remote->host, sizeof(remote->host), "%s",
			 c->c_address);
		remote->port = (int)m->m_port;
		remote->payload = (enum rtp_payload)rm->rm_pt;
		remote->is_listening = (m->m_mode & sdp_recvonly) != 0;
		return true;
	}

	return false;
}

/* The session, whose parser stays the caller's to free; or NULL with reason */
static sdp_session_t *parse(sdp_parser_t **parserp, su_home_t *home,
			    const char *text, size_t len, char **reasonp)
{
	sdp_session_t *session;

	*parserp = sdp_parse(home, text, (issize_t)len, sdp_f_mode_0000);
	session = sdp_session(*parserp);
	if (!session)
		*reasonp = xasprintf("SDP cannot be read: %s",
				     sdp_parsing_error(*parserp));

	return session;
}

/**
 * What the answer to our offer says
 *
 * @return 0; EBADMSG where it is no SDP; ENOTSUP where it takes no audio of
 *         ours; both with the reason
 */
int ue_sdp_read_answer(struct ue_sdp_remote *remote, const char *text,
		       size_t len, char **reasonp)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	sdp_parser_t *parser;
	sdp_session_t *session = parse(&parser, home, text, len, reasonp);
	int err = session ? 0 : EBADMSG;

	if (session &&
	    (!session->sdp_media || !is_ours(remote, session->sdp_media))) {
		*reasonp = xstrdup("the SDP answer takes none of G.711 A-law "
				   "and mu-law over RTP/AVP");
		err = ENOTSUP;
	}
	sdp_parser_free(parser);
	su_home_deinit(home);

	return err;
}

/* Formats as in the offer: a refused line still names them (RFC 3264 6) */
static char *refused_line(const sdp_media_t *m)
{
	char *formats = xstrdup(""), *longer, *line;

	for (const sdp_rtpmap_t *rm = m->m_rtpmaps; rm; rm = rm->rm_next) {
		longer = xasprintf("%s %u", formats, (unsigned)rm->rm_pt);
		free(formats);
		formats = longer;
	}
	for (const sdp_list_t *l = m->m_rtpmaps ? NULL : m->m_format; l;
	     l = l->l_next) {
		longer = xasprintf("%s %s", formats, l->l_text);
		free(formats);
		formats = longer;
	}
	line = xasprintf("m=%s 0 %s%s\r\n", m->m_type_name, m->m_proto_name,
			 *formats ? formats : " 0");
	free(formats);

	return line;
}

/* Ours is the mirror of theirs (RFC 3264 6.1) */
static char *taken_line(const struct ue_sdp_local *local, const sdp_media_t *m,
			enum rtp_payload payload)
{
	static const char *const modes[] = { [sdp_inactive] = "inactive",
					     [sdp_sendonly] = "recvonly",
					     [sdp_recvonly] = "sendonly",
					     [sdp_sendrecv] = "sendrecv" };
	bool is_a_law = payload == RTP_PCMA;

	return audio_lines(local->port, is_a_law ? "8" : "0",
			   is_a_law ? "a=rtpmap:8 PCMA/8000\r\n"
				    : "a=rtpmap:0 PCMU/8000\r\n",
			   modes[m->m_mode]);
}

static char *answer_lines(struct ue_sdp_remote *remote,
			  const struct ue_sdp_local *local,
			  const sdp_session_t *session, char **reasonp)
{
	char *text = session_lines(local), *line, *longer;
	const sdp_media_t *m = session->sdp_media;
	bool has_audio = false;

	for (int n = 0; m && n < MEDIA_MAX; m = m->m_next, n++) {
		bool is_taken = !has_audio && is_ours(remote, m);

		has_audio = has_audio || is_taken;
		line = is_taken ? taken_line(local, m, remote->payload)
				: refused_line(m);
		longer = xasprintf("%s%s", text, line);
		free(line);
		free(text);
		text = longer;
	}
	/* an answer has a line for each of the offer, or is none */
	if (has_audio && !m)
		return text;

	*reasonp = m ? xasprintf("the SDP offer has more than %d media lines",
				 MEDIA_MAX)
		     : xstrdup("the SDP offer has none of G.711 A-law and "
			       "mu-law over RTP/AVP");
	free(text);

	return NULL;
}

/**
 * The answer to an offer: its first audio line that we can do, no other
 *
 * @param answerp The caller's to free
 * @param remote  What the offer says
 *
 * @return 0; EBADMSG where it is no SDP (400); ENOTSUP where it has nothing
 *         for us (488); both with the reason
 */
int ue_sdp_answer(char **answerp, struct ue_sdp_remote *remote,
		  const struct ue_sdp_local *local, const char *text,
		  size_t len, char **reasonp)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	sdp_parser_t *parser;
	sdp_session_t *session = parse(&parser, home, text, len, reasonp);
	int err = EBADMSG;
	char *answer;

	if (session) {
		answer = answer_lines(remote, local, session, reasonp);
		err = answer ? 0 : ENOTSUP;
		if (answer)
			*answerp = answer;
	}
	sdp_parser_free(parser);
	su_home_deinit(home);

	return err;
}
