/** @file sim_web.h  The live page of `sipshare step FILE --web`
 *
 * For browsers on this machine alone. The page is report.html with the data of
 * now; what happens later it gets as server-sent events:
 *   event: trace
 *   data: {"from":K, "entries":[…], "live":{…}, "result":…, "reason":…}
 * Entries from index K on replace the page's from K on; "name", "file" and
 * "steps" come along if they have changed. A browser that comes back gets all.
 */
#ifndef SIPSHARE_SIM_WEB_H
#define SIPSHARE_SIM_WEB_H

#include <stddef.h>

#include <jansson.h>

struct loop;
struct sim_web;

/** What the student asked for on the page; text is borrowed. Not to free the
 * sim_web from within */
struct sim_web_ops {
	/** "next", "until" (ref: "S407"), "end", "quit"; 0, or errno and a
	 * reason for the page (EINVAL: 400, EBUSY, ENOENT: 409) */
	int (*command)(const char *command, const char *ref, void *arg,
		       char **reasonp);
	/** The run's capture, once it is written: its path; NULL until then */
	const char *(*capture)(void *arg);
};

/** listen: "127.0.0.1:0". 0; EINVAL for an address that is not of this
 * machine alone, or what listen() gives, with a reason */
int sim_web_new(struct sim_web **wp, struct loop *loop, const char *listen,
		const struct sim_web_ops *ops, void *arg, char **reasonp);
struct sim_web *sim_web_free(struct sim_web *web);
/** "http://127.0.0.1:PORT/" */
const char *sim_web_url(const struct sim_web *web);
/** Everything as it is now, stolen: what sim_report_data() gives, and "live":
 *   state    "held", "running" or "over"
 *   held     [{"entry": index or -1, "actor", "what", "number", "next"}]
 *   expect   "S401..S414, S501..S521", or absent
 *   clock_us the run's time
 *   message  what just happened, or why it waits: a sentence
 * Browsers get what has changed */
void sim_web_show(struct sim_web *web, json_t *data);
/** Pages that are open now */
size_t sim_web_client_count(const struct sim_web *web);

#endif
