/* Fuzzes what a SOAP body meets: libxml2 with our bounds, the envelope's
 * checks, and the readers of elements. What was refused has a reason. */
#include <stdint.h>
#include <stdlib.h>

#include "common/soap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_fields(const struct _xmlNode *el)
{
	char *number = NULL, *uri = NULL, *reason = NULL;
	const struct soap_field fields[] = { { "number", &number, false },
					     { "uri", &uri, true },
					     { NULL, NULL, false } };

	if (soap_fields(el, fields, &reason) && !reason)
		abort();
	free(number);
	free(uri);
	free(reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct _xmlNode *el;
	struct soap *soap = NULL;
	enum soap_code code = SOAP_CLIENT;
	char *reason = NULL, *fault = NULL, *text;
	size_t len;

	if (soap_parse(&soap, (const char *)data, size, &code, &reason)) {
		if (!reason)
			abort();
		text = soap_fault(code, reason, &len);
		free(text);
		free(reason);
		return 0;
	}

	el = soap_operation(soap);
	if (!soap_name(el))
		abort();
	(void)soap_namespace(el);
	(void)soap_line(el);
	(void)soap_is_fault(soap, &fault);
	read_fields(el);
	for (el = soap_first(el); el; el = soap_next(el))
		read_fields(el);
	free(fault);
	soap_free(soap);

	return 0;
}
