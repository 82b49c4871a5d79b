#include "common/json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/mem.h"

/**
 * Read one JSON value that fills the text
 *
 * @param text    UTF-8, len bytes
 * @param reasonp On failure: what is wrong, with line and column; the
 *                caller's to free
 *
 * @return The value, the caller's to json_decref(); NULL on failure
 */
json_t *json_read(const char *text, size_t len, char **reasonp)
{
	json_error_t error;
	const char *near;
	json_t *value;

	/* a repeated name has no defined meaning (RFC 8259 4): refused */
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	/* jansson quotes what stands there: of a login, that is the secret */
	near = value ? NULL : strstr(error.text, " near ");
	if (!value && len)
		*reasonp = xasprintf("the body is not JSON: %.*s, line %d, "
				     "column %d",
				     near ? (int)(near - error.text)
					  : JSON_ERROR_TEXT_LENGTH,
				     error.text, error.line, error.column);
	else if (!value)
		*reasonp = xstrdup("the body is empty; JSON is expected");

	return value;
}

static const char *type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",  [JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a fraction",  [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null"
	};

	return value ? names[json_typeof(value)] : "absent";
}

/* The field, or NULL with the reason: not an object, absent, another type */
static const json_t *need(const json_t *obj, const char *field, json_type type,
			  const char *wanted, char **reasonp)
{
	const json_t *value = json_object_get(obj, field);

	if (value && json_typeof(value) == type)
		return value;

	if (!json_is_object(obj))
		*reasonp = xasprintf("a JSON object with the field \"%s\" is "
				     "expected; it is %s",
				     field, type_name(obj));
	else
		*reasonp = xasprintf("the field \"%s\" must be %s; it is %s",
				     field, wanted, type_name(value));

	return NULL;
}

/**
 * A string that must be there and not be empty
 *
 * @param obj     What was received; need not be an object
 * @param field   Name of the field
 * @param reasonp On failure: a sentence that names the field; the caller's
 *
 * @return The string, which lives as long as obj; NULL on failure
 */
const char *json_need_string(const json_t *obj, const char *field,
			     char **reasonp)
{
	const json_t *value =
		need(obj, field, JSON_STRING, "a string", reasonp);

	if (!value)
		return NULL;

	if (!json_string_length(value)) {
		*reasonp =
			xasprintf("the field \"%s\" must not be empty", field);
		return NULL;
	}
	/* "\u0000" is JSON; as a C string it would be cut without notice */
	if (strlen(json_string_value(value)) != json_string_length(value)) {
		*reasonp = xasprintf("the field \"%s\" must not hold the "
				     "character U+0000",
				     field);
		return NULL;
	}

	return json_string_value(value);
}

/**
 * An integer that must be there and in a range
 *
 * @param np      The number, written on success only
 * @param range   Least and greatest, both allowed
 * @param reasonp As json_need_string()
 *
 * @return 0, or EINVAL
 */
int json_need_int(int64_t *np, const json_t *obj, const char *field,
		  const int64_t range[2], char **reasonp)
{
	const json_t *value =
		need(obj, field, JSON_INTEGER, "an integer", reasonp);
	int64_t n = json_integer_value(value);

	if (!value)
		return EINVAL;

	if (n < range[0] || n > range[1]) {
		*reasonp = xasprintf("the field \"%s\" must be %" PRId64
				     " to %" PRId64 "; it is %" PRId64,
				     field, range[0], range[1], n);
		return EINVAL;
	}
	*np = n;

	return 0;
}

/** An array that must be there; it lives as long as obj; NULL on failure */
const json_t *json_need_array(const json_t *obj, const char *field,
			      char **reasonp)
{
	return need(obj, field, JSON_ARRAY, "an array", reasonp);
}

/** A string that may be absent: NULL then, and if it is no string */
const char *json_find_string(const json_t *obj, const char *field)
{
	return json_string_value(json_object_get(obj, field));
}

/** An integer that may be absent: otherwise then, and if it is no integer */
int64_t json_find_int(const json_t *obj, const char *field, int64_t otherwise)
{
	const json_t *value = json_object_get(obj, field);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}
