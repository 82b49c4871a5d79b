/** @file dia_dict.h  Diameter dictionary: commands, AVPs, results, as tables
 *
 * Base protocol (RFC 6733), SIP digest (RFC 4740) and Cx (TS 29.229 6). What a
 * command or a grouped AVP must hold stands here too, so that one function
 * can check any message (common/dia_check.h).
 */
#ifndef SIPSHARE_DIA_DICT_H
#define SIPSHARE_DIA_DICT_H

#include <stdbool.h>
#include <stdint.h>

/* Tables of names: */
/* clang-format off */
enum { DIA_APP_BASE = 0, DIA_APP_CX = 16777216, DIA_VENDOR_3GPP = 10415 };

enum dia_command_code {
	DIA_CE = 257, DIA_DW = 280, DIA_DP = 282,
	DIA_UA = 300, DIA_SA = 301, DIA_LI = 302, DIA_MA = 303, DIA_RT = 304,
	DIA_PP = 305
};

/** Result-Code (RFC 6733 7.1) */
enum dia_result_code {
	DIA_SUCCESS = 2001,
	DIA_COMMAND_UNSUPPORTED = 3001, DIA_UNABLE_TO_DELIVER = 3002,
	DIA_REALM_NOT_SERVED = 3003, DIA_APPLICATION_UNSUPPORTED = 3007,
	DIA_INVALID_HDR_BITS = 3008,
	DIA_AVP_UNSUPPORTED = 5001, DIA_INVALID_AVP_VALUE = 5004,
	DIA_MISSING_AVP = 5005, DIA_AVP_OCCURS_TOO_MANY_TIMES = 5009,
	DIA_NO_COMMON_APPLICATION = 5010, DIA_UNSUPPORTED_VERSION = 5011,
	DIA_UNABLE_TO_COMPLY = 5012, DIA_INVALID_AVP_LENGTH = 5014,
	DIA_INVALID_MESSAGE_LENGTH = 5015
};

enum dia_disconnect_cause { DIA_REBOOTING, DIA_BUSY, DIA_DO_NOT_WANT_TO_TALK };

enum dia_type { DIA_OCTETS, DIA_UTF8, DIA_IDENTITY, DIA_URI, DIA_U32, DIA_ENUM,
		DIA_ADDRESS, DIA_GROUPED };

/** The AVPs that have a row; all others are unknown here */
enum dia_avp_id {
	AVP_NONE, AVP_USER_NAME, AVP_PROXY_STATE, AVP_DIGEST_REALM,
	AVP_DIGEST_QOP, AVP_DIGEST_ALGORITHM, AVP_DIGEST_HA1,
	AVP_HOST_IP_ADDRESS, AVP_AUTH_APPLICATION_ID, AVP_ACCT_APPLICATION_ID,
	AVP_VENDOR_SPECIFIC_APPLICATION_ID, AVP_SESSION_ID, AVP_ORIGIN_HOST,
	AVP_SUPPORTED_VENDOR_ID, AVP_VENDOR_ID, AVP_FIRMWARE_REVISION,
	AVP_RESULT_CODE, AVP_PRODUCT_NAME, AVP_DISCONNECT_CAUSE,
	AVP_AUTH_SESSION_STATE, AVP_ORIGIN_STATE_ID, AVP_FAILED_AVP,
	AVP_PROXY_HOST, AVP_ERROR_MESSAGE, AVP_ROUTE_RECORD,
	AVP_DESTINATION_REALM, AVP_PROXY_INFO, AVP_DESTINATION_HOST,
	AVP_ERROR_REPORTING_HOST, AVP_ORIGIN_REALM, AVP_EXPERIMENTAL_RESULT,
	AVP_EXPERIMENTAL_RESULT_CODE, AVP_INBAND_SECURITY_ID,
	/* 3GPP from here on */
	AVP_VISITED_NETWORK_IDENTIFIER, AVP_PUBLIC_IDENTITY, AVP_SERVER_NAME,
	AVP_SERVER_CAPABILITIES, AVP_MANDATORY_CAPABILITY,
	AVP_OPTIONAL_CAPABILITY, AVP_USER_DATA, AVP_SIP_NUMBER_AUTH_ITEMS,
	AVP_SIP_AUTHENTICATION_SCHEME, AVP_SIP_AUTHENTICATE,
	AVP_SIP_AUTHORIZATION, AVP_SIP_AUTHENTICATION_CONTEXT,
	AVP_SIP_AUTH_DATA_ITEM, AVP_SIP_ITEM_NUMBER,
	AVP_SERVER_ASSIGNMENT_TYPE, AVP_DEREGISTRATION_REASON, AVP_REASON_CODE,
	AVP_REASON_INFO, AVP_CHARGING_INFORMATION, AVP_PRIMARY_ECF_NAME,
	AVP_SECONDARY_ECF_NAME, AVP_PRIMARY_CCF_NAME, AVP_SECONDARY_CCF_NAME,
	AVP_USER_AUTHORIZATION_TYPE, AVP_USER_DATA_ALREADY_AVAILABLE,
	AVP_CONFIDENTIALITY_KEY, AVP_INTEGRITY_KEY, AVP_SUPPORTED_FEATURES,
	AVP_FEATURE_LIST_ID, AVP_FEATURE_LIST, AVP_ASSOCIATED_IDENTITIES,
	AVP_ORIGINATING_REQUEST, AVP_WILDCARDED_PUBLIC_IDENTITY,
	AVP_SIP_DIGEST_AUTHENTICATE, AVP_UAR_FLAGS,
	AVP_LOOSE_ROUTE_INDICATION, AVP_SCSCF_RESTORATION_INFO,
	AVP_ASSOCIATED_REGISTERED_IDENTITIES,
	AVP_MULTIPLE_REGISTRATION_INDICATION, AVP_SESSION_PRIORITY,
	AVP_IDENTITY_WITH_EMERGENCY_REGISTRATION,
	AVP_PRIVILEDGED_SENDER_INDICATION, AVP_LIA_FLAGS, AVP_SAR_FLAGS,
	AVP_RTR_FLAGS, AVP_COUNT
};

/* clang-format on */

/** How often an AVP may stand in a command or group; max 0: any number */
struct dia_rule {
	enum dia_avp_id id;
	uint8_t min, max;
};

/** One AVP: what it is and how it is sent */
struct dia_avp_def {
	uint32_t code, vendor;
	const char *name;
	enum dia_type type;
	uint8_t flags;     /**< the M bit, where it is sent with one */
	uint8_t enum_last; /**< DIA_ENUM: last value known; 0: not checked */
	const struct dia_rule *rules; /**< DIA_GROUPED, up to AVP_NONE */
};

/** One command, request and answer */
struct dia_command {
	uint32_t code, application;
	const char *request, *answer;    /**< "UAR", "UAA" */
	const struct dia_rule *rules[3]; /**< of the request; NULL-ended */
};

const struct dia_avp_def *dia_avp_def(enum dia_avp_id id);
enum dia_avp_id dia_avp_id(uint32_t code, uint32_t vendor);
const struct dia_command *dia_command_find(uint32_t code);
const char *dia_command_name(uint32_t code, bool is_request);
const char *dia_result_name(uint32_t code, bool is_experimental);

#endif
