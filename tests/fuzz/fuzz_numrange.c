/* Fuzzes ranges of numbers and the rule that makes SIP-URIs: lines first, last,
 * rule. Each number of a range that was taken is itself a number. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/numrange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_number(const struct numrange *range, uint32_t i,
		       const char *rule)
{
	char number[NUMBER_TEXT_LEN], *uri, *reason = NULL;

	numrange_at(number, range, i);
	if (number_check(number, &reason))
		abort();
	if (!rule || numrule_check(rule, &reason)) {
		free(reason);
		return;
	}
	uri = numrule_apply(rule, number);
	if (!strstr(uri, number))
		abort();
	if (sipuri_check(uri, "ims.test", &reason))
		free(reason);
	free(uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size), *rest = NULL;
	const char *first = strtok_r(text, "\n", &rest);
	const char *last = strtok_r(NULL, "\n", &rest);
	const char *rule = strtok_r(NULL, "\n", &rest);
	struct numrange range;
	char *reason = NULL;

	if (first && last) {
		if (numrange_parse(&range, first, last, &reason)) {
			if (!reason)
				abort();
			free(reason);
		} else {
			try_number(&range, 0, rule);
			try_number(&range, range.count - 1, rule);
		}
	}
	free(text);

	return 0;
}
