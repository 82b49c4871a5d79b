/** @file ctl.h  Control channel between the runner and an element
 *
 * Lines of JSON on a socket that the runner gives to each process. It is not
 * part of the system shown: a foreign box simply has none.
 *   runner → element  {"id":7,"cmd":"login","args":{…}}
 *   element → runner  {"id":7,"result":{…}}   {"id":7,"error":"what, where"}
 *   element → runner  {"ready":{"sip":"127.1.1.1:5060"}}   {"trace":{…}}
 * When the channel closes, the element ends.
 */
#ifndef SIPSHARE_CTL_H
#define SIPSHARE_CTL_H

#include <jansson.h>

struct ctl;
struct ctl_req;
struct loop;

/** A command came. Answer it once, now or later, by ctl_ok() or ctl_fail() */
typedef void ctl_cmd_cb(struct ctl_req *req, json_t *args, void *arg);
/** Any other line came (runner's side: ready, trace); msg is borrowed */
typedef void ctl_line_cb(json_t *msg, void *arg);
/** The answer to ctl_call(): one of result and error is set, borrowed.
 * error is "the process ended" when the channel closed first */
typedef void ctl_answer_cb(json_t *result, const char *error, void *arg);
typedef void ctl_end_cb(void *arg);

/** One command of an element's table, which ends with a NULL name */
struct ctl_cmd {
	const char *name;
	ctl_cmd_cb *cb;
};

struct ctl *ctl_new(struct loop *loop, int fd);
struct ctl *ctl_free(struct ctl *ctl);
void ctl_add_commands(struct ctl *ctl, const struct ctl_cmd *cmds, void *arg);
void ctl_add_questions(struct ctl *ctl, const struct ctl_cmd *cmds, void *arg);
void ctl_on_line(struct ctl *ctl, ctl_line_cb *cb, void *arg);
void ctl_on_end(struct ctl *ctl, ctl_end_cb *cb, void *arg);
void ctl_call(struct ctl *ctl, const char *cmd, json_t *args, ctl_answer_cb *cb,
	      void *arg);
void ctl_tx(struct ctl *ctl, json_t *msg);
void ctl_tx_line(struct ctl *ctl, const char *key, const char *json,
		 size_t len);
void ctl_flush(struct ctl *ctl);
int ctl_fd(const struct ctl *ctl);
void ctl_ok(struct ctl_req *req, json_t *result);
void ctl_fail(struct ctl_req *req, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
