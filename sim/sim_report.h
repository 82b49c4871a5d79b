/** @file sim_report.h  A run as one page that opens from disk
 *
 * Everything is inside: the sources of sim/web/ and the run's entries as
 * JSON. What came from the wire may hold anything; in the page it is data.
 */
#ifndef SIPSHARE_SIM_REPORT_H
#define SIPSHARE_SIM_REPORT_H

#include <stdio.h>

#include <jansson.h>

#include "sim/sim_label.h"

/** What a report tells of its run; borrowed */
struct sim_report {
	const char *name;   /**< "patent" */
	const char *file;   /**< "scenarios/patent.lua" */
	const char *result; /**< "PASS", "FAIL" … */
	const char *reason; /**< why it did not pass, or NULL */
};

/** The data of the page; labels may be NULL: nothing has run */
json_t *sim_report_data(const struct sim_report *report,
			const struct sim_label *lb);
/** A Diameter message as a tree: [{name, code, vendor, value | group}] */
json_t *sim_report_avps(const void *data, size_t len);
/** Write the page with these data inside; 0, or errno of the failed write */
int sim_report_write(json_t *data, FILE *f);

#endif
