/** @file json.h  Fields of a JSON object from outside, checked by name
 *
 * What a peer sends is read with these: each failure gives a sentence that
 * names the field and what it must be, fit for a 400's body.
 */
#ifndef SIPSHARE_JSON_H
#define SIPSHARE_JSON_H

#include <stdint.h>

#include <jansson.h>

json_t *json_read(const char *text, size_t len, char **reasonp);
const char *json_need_string(const json_t *obj, const char *field,
			     char **reasonp);
int json_need_int(int64_t *np, const json_t *obj, const char *field,
		  const int64_t range[2], char **reasonp);
const json_t *json_need_array(const json_t *obj, const char *field,
			      char **reasonp);
const char *json_find_string(const json_t *obj, const char *field);
int64_t json_find_int(const json_t *obj, const char *field, int64_t otherwise);

#endif
