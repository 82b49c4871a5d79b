/** @file sim_steps.h  The table of the patent's steps (CN103516675A)
 *
 * One table says who sends a step to whom, what it looks like on the wire or
 * which event it is, what must come before it, and how it is explained. It
 * labels traces, and steers nothing.
 */
#ifndef SIPSHARE_SIM_STEPS_H
#define SIPSHARE_SIM_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** What carries a step */
enum sim_wire {
	SIM_SIP,
	SIM_CX,
	SIM_HTTPS,
	SIM_SOAP,
	SIM_EVENT, /**< an event inside `from` */
	SIM_FIGURE /**< figures 1 to 3: the same as other steps, see `is` */
};

/** What a message must be besides its name */
enum {
	SIM_CREDENTIALS = 1 << 0,    /**< Authorization with a response */
	SIM_NO_CREDENTIALS = 1 << 1, /**< without */
	SIM_EXPIRES_0 = 1 << 2,      /**< deregisters */
	SIM_EXPIRES = 1 << 3,        /**< registers */
	SIM_NO_BODY = 1 << 4,
	SIM_FIRST = 1 << 5 /**< first of its Call-ID between these two */
};

/** One row. A step of several messages, or that is done in several ways, has a
 * row for the whole and one for each, told apart by their part. A ref names a
 * row: "S404", "S401/range". Several refs: by spaces, all of them; "a|b": one
 * or the other. */
struct sim_step {
	const char *id;   /**< "S401" */
	const char *part; /**< "range"; NULL: the step as a whole */
	const char *from; /**< actor */
	const char *to;   /**< actor, or NULL: inside `from` */
	enum sim_wire wire;
	const char *what;    /**< request: "REGISTER", "POST /v1/login" (one
				  that ends with '/' begins so), "UAR", element
				  in SOAP's body; answer: status, or its first
				  digits; event: its name */
	const char *is;      /**< not a message of its own: refs that it is */
	const char *answers; /**< refs of the request that it answers */
	const char *follows; /**< ref: seen in its conversation since the last
				  message of this row, and not replaced since
				  by a request that is no step */
	unsigned flags;
	const char *after;     /**< refs that must come before it */
	const char *en, *zh;   /**< captions */
	const char *paragraph; /**< of the patent: "[0076]" */
	const char *clause;    /**< of the standard, or NULL */
};

size_t sim_steps_count(void);
const struct sim_step *sim_steps_at(size_t i);
/** The row that ref (len characters) names, or NULL */
const struct sim_step *sim_steps_find(const char *ref, size_t len);
/** Next ref of a list: *listp moves behind it. NULL at the end; *is_orp: it is
 * an alternative to the one before */
const char *sim_steps_next_ref(const char **listp, size_t *lenp, bool *is_orp);
const char *sim_wire_name(enum sim_wire wire);
void sim_steps_print(FILE *f);
void sim_steps_print_markdown(FILE *f);

#endif
