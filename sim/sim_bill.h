/** @file sim_bill.h  A bill per real number, from the charging records
 *
 * [0087]: whatever is done with a SIP-URI is charged to the real number that
 * it is bound to. Made of the AS's as.cdr events; who has an account of its
 * own and no number in it is billed under its SIP-URI.
 */
#ifndef SIPSHARE_SIM_BILL_H
#define SIPSHARE_SIM_BILL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sim_bill;
struct sim_trace;

/** What one owes; borrowed from the bill */
struct sim_bill_row {
	char *who;       /**< real number, or SIP-URI */
	size_t calls;    /**< made */
	size_t answered; /**< of these; only they cost */
	int64_t ms;      /**< from answer to end */
};

struct sim_bill *sim_bill_new(const struct sim_trace *trace);
struct sim_bill *sim_bill_free(struct sim_bill *bill);
size_t sim_bill_count(const struct sim_bill *bill);
const struct sim_bill_row *sim_bill_row(const struct sim_bill *bill, size_t i);
void sim_bill_print(const struct sim_bill *bill, FILE *f);

#endif
