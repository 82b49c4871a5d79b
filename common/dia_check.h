/** @file dia_check.h  Judges a received message by the dictionary
 *
 * What is wrong comes as the Result-Code to answer with, the AVP to show in
 * Failed-AVP, and a sentence for the log and Error-Message (RFC 6733 7).
 */
#ifndef SIPSHARE_DIA_CHECK_H
#define SIPSHARE_DIA_CHECK_H

#include "common/dia_msg.h"

enum { DIA_FAULT_TEXT = 160 };

/** What is wrong with a message */
struct dia_fault {
	uint32_t result;
	char text[DIA_FAULT_TEXT];
	struct dia_avp avp; /**< the offending one; code 0: none */
};

void dia_fault_set(struct dia_fault *fault, uint32_t result, const char *fmt,
		   ...) __attribute__((format(printf, 3, 4)));
int dia_check(struct dia_fault *fault, const struct dia_msg *msg);
void dia_put_failed(struct dia_build *b, const struct dia_fault *fault);

#endif
