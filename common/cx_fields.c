#include "common/cx_codec.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define ARRAY(type, member, n, room)                                           \
	AT(type, member), .count = offsetof(struct type, n),                   \
			  .stride = sizeof(((struct type *)0)->member[0]),     \
			  .max = (room)
#define END                                                                    \
	{                                                                      \
		.id = AVP_NONE                                                 \
	}

/* clang-format off */

/* UAR, UAA (TS 29.229 6.1.1, 6.1.2) */
const struct cx_field cx_uar_fields[] = {
	{ AVP_USER_NAME, CX_KIND_TEXT, AT(cx_uar, impi) },
	{ AVP_PUBLIC_IDENTITY, CX_KIND_TEXT, AT(cx_uar, impu) },
	{ AVP_VISITED_NETWORK_IDENTIFIER, CX_KIND_TEXT,
	  AT(cx_uar, visited_network) },
	{ AVP_USER_AUTHORIZATION_TYPE, CX_KIND_U32, AT(cx_uar, type) },
	END
};

static const struct cx_field capabilities[] = {
	{ AVP_MANDATORY_CAPABILITY, CX_KIND_U32,
	  ARRAY(cx_uaa, mandatory_caps, cap_n, CX_CAPS_MAX) },
	END
};

const struct cx_field cx_uaa_fields[] = {
	{ AVP_RESULT_CODE, CX_KIND_RESULT, AT(cx_uaa, result) },
	{ AVP_SERVER_NAME, CX_KIND_TEXT, AT(cx_uaa, server_name) },
	{ AVP_SERVER_CAPABILITIES, CX_KIND_GROUP, .group = capabilities },
	END
};

/* MAR, MAA (6.1.7, 6.1.8) */
static const struct cx_field mar_item[] = {
	{ AVP_SIP_AUTHENTICATION_SCHEME, CX_KIND_TEXT, AT(cx_mar, scheme) }, END
};

const struct cx_field cx_mar_fields[] = {
	{ AVP_USER_NAME, CX_KIND_TEXT, AT(cx_mar, impi) },
	{ AVP_PUBLIC_IDENTITY, CX_KIND_TEXT, AT(cx_mar, impu) },
	{ AVP_SIP_AUTH_DATA_ITEM, CX_KIND_GROUP, .group = mar_item },
	{ AVP_SIP_NUMBER_AUTH_ITEMS, CX_KIND_U32, AT(cx_mar, item_n) },
	{ AVP_SERVER_NAME, CX_KIND_TEXT, AT(cx_mar, server_name) },
	END
};

/* SIP-Digest-Authenticate (6.3.36) with the AVPs of RFC 4740 */
static const struct cx_field digest[] = {
	{ AVP_DIGEST_REALM, CX_KIND_TEXT, AT(cx_auth_item, realm) },
	{ AVP_DIGEST_ALGORITHM, CX_KIND_TEXT, AT(cx_auth_item, algorithm) },
	{ AVP_DIGEST_QOP, CX_KIND_TEXT, AT(cx_auth_item, qop) },
	{ AVP_DIGEST_HA1, CX_KIND_TEXT, AT(cx_auth_item, ha1) },
	END
};

static const struct cx_field maa_item[] = {
	{ AVP_SIP_AUTHENTICATION_SCHEME, CX_KIND_TEXT,
	  AT(cx_auth_item, scheme) },
	{ AVP_SIP_DIGEST_AUTHENTICATE, CX_KIND_GROUP, .group = digest },
	END
};

const struct cx_field cx_maa_fields[] = {
	{ AVP_RESULT_CODE, CX_KIND_RESULT, AT(cx_maa, result) },
	{ AVP_USER_NAME, CX_KIND_TEXT, AT(cx_maa, impi) },
	{ AVP_PUBLIC_IDENTITY, CX_KIND_TEXT, AT(cx_maa, impu) },
	{ AVP_SIP_NUMBER_AUTH_ITEMS, CX_KIND_COUNT, AT(cx_maa, item_n) },
	{ AVP_SIP_AUTH_DATA_ITEM, CX_KIND_GROUP,
	  ARRAY(cx_maa, items, item_n, CX_AUTH_ITEMS_MAX), .group = maa_item },
	END
};

/* SAR, SAA (6.1.3, 6.1.4) */
const struct cx_field cx_sar_fields[] = {
	{ AVP_USER_NAME, CX_KIND_TEXT, AT(cx_sar, impi) },
	{ AVP_PUBLIC_IDENTITY, CX_KIND_TEXT, AT(cx_sar, impu) },
	{ AVP_SERVER_NAME, CX_KIND_TEXT, AT(cx_sar, server_name) },
	{ AVP_SERVER_ASSIGNMENT_TYPE, CX_KIND_U32, AT(cx_sar, type) },
	{ AVP_USER_DATA_ALREADY_AVAILABLE, CX_KIND_BOOL,
	  AT(cx_sar, has_user_data) },
	END
};

const struct cx_field cx_saa_fields[] = {
	{ AVP_RESULT_CODE, CX_KIND_RESULT, AT(cx_saa, result) },
	{ AVP_USER_NAME, CX_KIND_TEXT, AT(cx_saa, impi) },
	{ AVP_USER_DATA, CX_KIND_DATA, AT(cx_saa, user_data),
	  .count = offsetof(struct cx_saa, user_data_len) },
	END
};

/* LIR, LIA (6.1.5, 6.1.6) */
const struct cx_field cx_lir_fields[] = {
	{ AVP_ORIGINATING_REQUEST, CX_KIND_PRESENT,
	  AT(cx_lir, is_originating) },
	{ AVP_PUBLIC_IDENTITY, CX_KIND_TEXT, AT(cx_lir, impu) },
	END
};

const struct cx_field cx_lia_fields[] = {
	{ AVP_RESULT_CODE, CX_KIND_RESULT, AT(cx_lia, result) },
	{ AVP_SERVER_NAME, CX_KIND_TEXT, AT(cx_lia, server_name) },
	END
};

/* RTR, RTA (6.1.9, 6.1.10) */
static const struct cx_field reason[] = {
	{ AVP_REASON_CODE, CX_KIND_U32, AT(cx_rtr, reason) },
	{ AVP_REASON_INFO, CX_KIND_TEXT, AT(cx_rtr, reason_info) },
	END
};

const struct cx_field cx_rtr_fields[] = {
	{ AVP_USER_NAME, CX_KIND_TEXT, AT(cx_rtr, impi) },
	{ AVP_PUBLIC_IDENTITY, CX_KIND_TEXT, AT(cx_rtr, impu) },
	{ AVP_DEREGISTRATION_REASON, CX_KIND_GROUP, .group = reason },
	END
};

const struct cx_field cx_rta_fields[] = {
	{ AVP_RESULT_CODE, CX_KIND_RESULT, AT(cx_rta, result) }, END
};
/* clang-format on */
