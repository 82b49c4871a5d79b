#include "common/dia_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

/* Deeper groups are no message of ours, and would cost stack */
enum { DEPTH_MAX = 8 };

/* An offending AVP larger than this is shown by its header alone */
enum { FAILED_MAX = 1024 };

/** Say what is wrong; the AVP is set apart, and cleared here */
void dia_fault_set(struct dia_fault *fault, uint32_t result, const char *fmt,
		   ...)
{
	va_list ap;

	memset(fault, 0, sizeof(*fault));
	fault->result = result;
	va_start(ap, fmt);
	/* the analyzer overlooks va_start() when it reads several files */
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	(void)vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
}

static const char *avp_name(const struct dia_avp *avp, char text[static 48])
{
	if (avp->id)
		return dia_avp_def(avp->id)->name;

	(void)snprintf(text, 48, "AVP %" PRIu32 " of vendor %" PRIu32,
		       avp->code, avp->vendor);

	return text;
}

static int fail(struct dia_fault *fault, uint32_t result, const char *what,
		const struct dia_avp *avp)
{
	char name[48];

	dia_fault_set(fault, result, "%s %s", avp_name(avp, name), what);
	fault->avp = *avp;

	return EBADMSG;
}

static size_t utf8_len(uint8_t c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;

	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* No control characters either: the text goes on into SIP headers */
static bool is_text(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(p[i]);

		if (!n || n > len - i || p[i] < 0x20 || p[i] == 0x7f)
			return false;
		for (size_t k = 1; k < n; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
		i += n;
	}

	return true;
}

static bool is_address(const struct dia_avp *avp)
{
	enum { FAMILY_LEN = 2, IPV4_LEN = 4, IPV6_LEN = 16 };
	int family =
		avp->len < FAMILY_LEN ? 0 : avp->data[0] << 8 | avp->data[1];

	if (family == 1)
		return avp->len == FAMILY_LEN + IPV4_LEN;
	if (family == 2)
		return avp->len == FAMILY_LEN + IPV6_LEN;

	return family && avp->len > FAMILY_LEN;
}

static int check_value(struct dia_fault *fault, const struct dia_avp *avp)
{
	const struct dia_avp_def *def = dia_avp_def(avp->id);

	switch (def->type) {
	case DIA_U32:
	case DIA_ENUM:
		if (avp->len != 4)
			return fail(fault, DIA_INVALID_AVP_LENGTH,
				    "is not four octets long", avp);
		if (def->enum_last && dia_u32(avp) > def->enum_last)
			return fail(fault, DIA_INVALID_AVP_VALUE,
				    "has a value that is not defined", avp);
		return 0;
	case DIA_IDENTITY:
	case DIA_URI:
		if (!avp->len)
			return fail(fault, DIA_INVALID_AVP_LENGTH, "is empty",
				    avp);
		/* fall through */
	case DIA_UTF8:
		/* those without M are for people only, and stay as they are */
		if (def->flags & DIA_AVP_M && !is_text(avp->data, avp->len))
			return fail(fault, DIA_INVALID_AVP_VALUE,
				    "is not UTF-8 text without controls", avp);
		return 0;
	case DIA_ADDRESS:
		if (!is_address(avp))
			return fail(fault, DIA_INVALID_AVP_LENGTH,
				    "is no address of its family", avp);
		return 0;
	case DIA_OCTETS:
	case DIA_GROUPED:
		break;
	}

	return 0;
}

/* An example of what is missing: zeros of the least length (7.5) */
static int fail_missing(struct dia_fault *fault, enum dia_avp_id id,
			const char *where)
{
	const struct dia_avp_def *def = dia_avp_def(id);

	dia_fault_set(fault, DIA_MISSING_AVP, "%s is missing from %s",
		      def->name, where);
	fault->avp.id = id;
	fault->avp.code = def->code;
	fault->avp.vendor = def->vendor;

	return EBADMSG;
}

/* The rule is broken by too few or too many of its AVP */
static int check_rule(struct dia_fault *fault, struct dia_iter it,
		      const struct dia_rule *rule, const char *where)
{
	struct dia_avp avp;
	int n = 0;

	while (!dia_next(&it, &avp)) {
		if (avp.id != rule->id)
			continue;
		n++;
		if (rule->max && n > rule->max)
			return fail(fault, DIA_AVP_OCCURS_TOO_MANY_TIMES,
				    "occurs too many times", &avp);
	}
	if (n < rule->min)
		return fail_missing(fault, rule->id, where);

	return 0;
}

static int check_rules(struct dia_fault *fault, struct dia_iter it,
		       const struct dia_rule *rules, const char *where)
{
	int err = 0;

	for (; !err && rules->id; rules++)
		err = check_rule(fault, it, rules, where);

	return err;
}

/* An unknown AVP: refused in a request if its sender insists (RFC 6733 4.1) */
static int check_unknown(struct dia_fault *fault, const struct dia_avp *avp,
			 bool is_request)
{
	if (!(avp->flags & DIA_AVP_M))
		return 0;
	if (is_request)
		return fail(fault, DIA_AVP_UNSUPPORTED,
			    "is mandatory and not known here", avp);

	log_info("diameter: passed over mandatory AVP %" PRIu32
		 " of vendor %" PRIu32 " in an answer",
		 avp->code, avp->vendor);

	return 0;
}

/* Recursion is bounded by DEPTH_MAX */
static int check_avps(struct dia_fault *fault, struct dia_iter it,
		      bool is_request, int depth)
{
	struct dia_avp avp;
	int err;

	while (!(err = dia_next(&it, &avp))) {
		const struct dia_avp_def *def = dia_avp_def(avp.id);

		if (!avp.id)
			err = check_unknown(fault, &avp, is_request);
		else if (def->type != DIA_GROUPED)
			err = check_value(fault, &avp);
		else if (!def->rules)
			continue;
		else if (depth == DEPTH_MAX)
			err = fail(fault, DIA_INVALID_AVP_VALUE,
				   "is nested too deep", &avp);
		else
			err = check_avps(fault, dia_iter_group(&avp),
					 is_request, depth + 1);
		if (!err && avp.id && def->rules)
			err = check_rules(fault, dia_iter_group(&avp),
					  def->rules, def->name);
		if (err)
			return err;
	}
	if (err == EBADMSG)
		return fail(fault, DIA_INVALID_AVP_LENGTH,
			    "has a length that does not fit", &avp);

	return 0;
}

/* Exactly one of the two results (TS 29.229 6.1) */
static int check_result(struct dia_fault *fault, const struct dia_msg *msg)
{
	struct dia_avp avp;
	bool plain = dia_find(&avp, dia_iter_msg(msg), AVP_RESULT_CODE);
	bool other = dia_find(&avp, dia_iter_msg(msg), AVP_EXPERIMENTAL_RESULT);

	if (plain != other)
		return 0;

	dia_fault_set(fault, DIA_MISSING_AVP,
		      plain ? "Result-Code and Experimental-Result are both "
			      "there"
			    : "neither Result-Code nor Experimental-Result "
			      "is there");

	return EBADMSG;
}

/**
 * Check all AVPs of a message: lengths, values, unknown mandatory ones, and in
 * a request those that must be there. Answers are read leniently: what is not
 * there is for their reader to miss.
 *
 * @return 0, or EBADMSG with fault set
 */
int dia_check(struct dia_fault *fault, const struct dia_msg *msg)
{
	const struct dia_command *command = dia_command_find(msg->code);
	int err = check_avps(fault, dia_iter_msg(msg), dia_is_request(msg), 0);

	if (!err && !dia_is_request(msg))
		return check_result(fault, msg);

	for (int i = 0; !err && command && command->rules[i]; i++)
		err = check_rules(fault, dia_iter_msg(msg), command->rules[i],
				  command->request);

	return err;
}

static size_t least_len(enum dia_avp_id id)
{
	switch (dia_avp_def(id)->type) {
	case DIA_U32:
	case DIA_ENUM:
		return 4;
	case DIA_ADDRESS:
		return 6;
	default:
		return 0;
	}
}

/**
 * Add the fault's AVP in a Failed-AVP, if it has one (RFC 6733 7.5): whole, or
 * where its length was wrong or it was missing, a header with zeros behind it
 */
void dia_put_failed(struct dia_build *b, const struct dia_fault *fault)
{
	static const uint8_t zeros[12];
	const struct dia_avp *avp = &fault->avp;
	bool has_vendor = avp->vendor || avp->flags & DIA_AVP_V;
	size_t pad = least_len(avp->id);
	size_t len = (has_vendor ? 12 : 8) + pad;
	uint8_t head[12] = { 0 };
	size_t group;

	if (!avp->code)
		return;

	group = dia_group(b, AVP_FAILED_AVP);
	if (avp->raw_len && avp->raw_len <= FAILED_MAX) {
		dia_put_raw(b, avp->raw, avp->raw_len);
	} else {
		for (int i = 0; i < 4; i++) {
			head[i] = (uint8_t)(avp->code >> (24 - 8 * i));
			head[8 + i] = (uint8_t)(avp->vendor >> (24 - 8 * i));
		}
		head[4] = (uint8_t)(DIA_AVP_M | (has_vendor ? DIA_AVP_V : 0));
		head[7] = (uint8_t)len;
		dia_put_raw(b, head, has_vendor ? 12 : 8);
		dia_put_raw(b, zeros, (pad + 3) & ~(size_t)3);
	}
	(void)dia_group_end(b, group);
}
