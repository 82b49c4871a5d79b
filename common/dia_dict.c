#include "common/dia_dict.h"

#include <stddef.h>

#define M 0x40
#define ANY 0
#define END                                                                    \
	{                                                                      \
		AVP_NONE, 0, 0                                                 \
	}
#define TGPP DIA_VENDOR_3GPP

/* Tables: */
/* clang-format off */

/* What groups hold (RFC 6733 6.11, 7.6; TS 29.229 6.3). Failed-AVP has no
 * rules and is never looked into: what it holds is broken by design. */
static const struct dia_rule experimental_result[] = {
	{ AVP_VENDOR_ID, 1, 1 }, { AVP_EXPERIMENTAL_RESULT_CODE, 1, 1 }, END
};
static const struct dia_rule proxy_info[] = {
	{ AVP_PROXY_HOST, 1, 1 }, { AVP_PROXY_STATE, 1, 1 }, END
};
static const struct dia_rule deregistration_reason[] = {
	{ AVP_REASON_CODE, 1, 1 }, { AVP_REASON_INFO, 0, 1 }, END
};
static const struct dia_rule auth_data_item[] = {
	{ AVP_SIP_ITEM_NUMBER, 0, 1 },
	{ AVP_SIP_AUTHENTICATION_SCHEME, 0, 1 },
	{ AVP_SIP_DIGEST_AUTHENTICATE, 0, 1 }, END
};
static const struct dia_rule supported_features[] = {
	{ AVP_VENDOR_ID, 1, 1 }, { AVP_FEATURE_LIST_ID, 1, 1 },
	{ AVP_FEATURE_LIST, 1, 1 }, END
};
static const struct dia_rule free_group[] = { END };

/* TS 29.229 6.3, RFC 6733 4.5, RFC 4740 9; sorted by vendor and code */
static const struct dia_avp_def avps[AVP_COUNT] = {
[AVP_USER_NAME] = { 1, 0, "User-Name", DIA_UTF8, M, 0, NULL },
[AVP_PROXY_STATE] = { 33, 0, "Proxy-State", DIA_OCTETS, M, 0, NULL },
[AVP_DIGEST_REALM] = { 104, 0, "Digest-Realm", DIA_UTF8, M, 0, NULL },
[AVP_DIGEST_QOP] = { 110, 0, "Digest-QoP", DIA_UTF8, M, 0, NULL },
[AVP_DIGEST_ALGORITHM] = { 111, 0, "Digest-Algorithm", DIA_UTF8, M, 0, NULL },
[AVP_DIGEST_HA1] = { 121, 0, "Digest-HA1", DIA_UTF8, M, 0, NULL },
[AVP_HOST_IP_ADDRESS] = { 257, 0, "Host-IP-Address", DIA_ADDRESS, M, 0, NULL },
[AVP_AUTH_APPLICATION_ID] =
	{ 258, 0, "Auth-Application-Id", DIA_U32, M, 0, NULL },
[AVP_ACCT_APPLICATION_ID] =
	{ 259, 0, "Acct-Application-Id", DIA_U32, M, 0, NULL },
[AVP_VENDOR_SPECIFIC_APPLICATION_ID] =
	{ 260, 0, "Vendor-Specific-Application-Id", DIA_GROUPED, M, 0,
	  free_group },
[AVP_SESSION_ID] = { 263, 0, "Session-Id", DIA_UTF8, M, 0, NULL },
[AVP_ORIGIN_HOST] = { 264, 0, "Origin-Host", DIA_IDENTITY, M, 0, NULL },
[AVP_SUPPORTED_VENDOR_ID] =
	{ 265, 0, "Supported-Vendor-Id", DIA_U32, M, 0, NULL },
[AVP_VENDOR_ID] = { 266, 0, "Vendor-Id", DIA_U32, M, 0, NULL },
[AVP_FIRMWARE_REVISION] = { 267, 0, "Firmware-Revision", DIA_U32, 0, 0, NULL },
[AVP_RESULT_CODE] = { 268, 0, "Result-Code", DIA_U32, M, 0, NULL },
[AVP_PRODUCT_NAME] = { 269, 0, "Product-Name", DIA_UTF8, 0, 0, NULL },
[AVP_DISCONNECT_CAUSE] = { 273, 0, "Disconnect-Cause", DIA_ENUM, M, 0, NULL },
[AVP_AUTH_SESSION_STATE] =
	{ 277, 0, "Auth-Session-State", DIA_ENUM, M, 1, NULL },
[AVP_ORIGIN_STATE_ID] = { 278, 0, "Origin-State-Id", DIA_U32, M, 0, NULL },
[AVP_FAILED_AVP] = { 279, 0, "Failed-AVP", DIA_GROUPED, M, 0, NULL },
[AVP_PROXY_HOST] = { 280, 0, "Proxy-Host", DIA_IDENTITY, M, 0, NULL },
[AVP_ERROR_MESSAGE] = { 281, 0, "Error-Message", DIA_UTF8, 0, 0, NULL },
[AVP_ROUTE_RECORD] = { 282, 0, "Route-Record", DIA_IDENTITY, M, 0, NULL },
[AVP_DESTINATION_REALM] =
	{ 283, 0, "Destination-Realm", DIA_IDENTITY, M, 0, NULL },
[AVP_PROXY_INFO] = { 284, 0, "Proxy-Info", DIA_GROUPED, M, 0, proxy_info },
[AVP_DESTINATION_HOST] =
	{ 293, 0, "Destination-Host", DIA_IDENTITY, M, 0, NULL },
[AVP_ERROR_REPORTING_HOST] =
	{ 294, 0, "Error-Reporting-Host", DIA_IDENTITY, 0, 0, NULL },
[AVP_ORIGIN_REALM] = { 296, 0, "Origin-Realm", DIA_IDENTITY, M, 0, NULL },
[AVP_EXPERIMENTAL_RESULT] =
	{ 297, 0, "Experimental-Result", DIA_GROUPED, M, 0,
	  experimental_result },
[AVP_EXPERIMENTAL_RESULT_CODE] =
	{ 298, 0, "Experimental-Result-Code", DIA_U32, M, 0, NULL },
[AVP_INBAND_SECURITY_ID] =
	{ 299, 0, "Inband-Security-Id", DIA_U32, M, 0, NULL },

[AVP_VISITED_NETWORK_IDENTIFIER] =
	{ 600, TGPP, "Visited-Network-Identifier", DIA_OCTETS, M, 0, NULL },
[AVP_PUBLIC_IDENTITY] =
	{ 601, TGPP, "Public-Identity", DIA_UTF8, M, 0, NULL },
[AVP_SERVER_NAME] = { 602, TGPP, "Server-Name", DIA_UTF8, M, 0, NULL },
[AVP_SERVER_CAPABILITIES] =
	{ 603, TGPP, "Server-Capabilities", DIA_GROUPED, M, 0, free_group },
[AVP_MANDATORY_CAPABILITY] =
	{ 604, TGPP, "Mandatory-Capability", DIA_U32, M, 0, NULL },
[AVP_OPTIONAL_CAPABILITY] =
	{ 605, TGPP, "Optional-Capability", DIA_U32, M, 0, NULL },
[AVP_USER_DATA] = { 606, TGPP, "User-Data", DIA_OCTETS, M, 0, NULL },
[AVP_SIP_NUMBER_AUTH_ITEMS] =
	{ 607, TGPP, "SIP-Number-Auth-Items", DIA_U32, M, 0, NULL },
[AVP_SIP_AUTHENTICATION_SCHEME] =
	{ 608, TGPP, "SIP-Authentication-Scheme", DIA_UTF8, M, 0, NULL },
[AVP_SIP_AUTHENTICATE] =
	{ 609, TGPP, "SIP-Authenticate", DIA_OCTETS, M, 0, NULL },
[AVP_SIP_AUTHORIZATION] =
	{ 610, TGPP, "SIP-Authorization", DIA_OCTETS, M, 0, NULL },
[AVP_SIP_AUTHENTICATION_CONTEXT] =
	{ 611, TGPP, "SIP-Authentication-Context", DIA_OCTETS, M, 0, NULL },
[AVP_SIP_AUTH_DATA_ITEM] =
	{ 612, TGPP, "SIP-Auth-Data-Item", DIA_GROUPED, M, 0, auth_data_item },
[AVP_SIP_ITEM_NUMBER] =
	{ 613, TGPP, "SIP-Item-Number", DIA_U32, M, 0, NULL },
[AVP_SERVER_ASSIGNMENT_TYPE] =
	{ 614, TGPP, "Server-Assignment-Type", DIA_ENUM, M, 14, NULL },
[AVP_DEREGISTRATION_REASON] =
	{ 615, TGPP, "Deregistration-Reason", DIA_GROUPED, M, 0,
	  deregistration_reason },
[AVP_REASON_CODE] = { 616, TGPP, "Reason-Code", DIA_ENUM, M, 3, NULL },
[AVP_REASON_INFO] = { 617, TGPP, "Reason-Info", DIA_UTF8, M, 0, NULL },
[AVP_CHARGING_INFORMATION] =
	{ 618, TGPP, "Charging-Information", DIA_GROUPED, M, 0, free_group },
[AVP_PRIMARY_ECF_NAME] =
	{ 619, TGPP, "Primary-Event-Charging-Function-Name", DIA_URI, M, 0,
	  NULL },
[AVP_SECONDARY_ECF_NAME] =
	{ 620, TGPP, "Secondary-Event-Charging-Function-Name", DIA_URI, M, 0,
	  NULL },
[AVP_PRIMARY_CCF_NAME] =
	{ 621, TGPP, "Primary-Charging-Collection-Function-Name", DIA_URI, M, 0,
	  NULL },
[AVP_SECONDARY_CCF_NAME] =
	{ 622, TGPP, "Secondary-Charging-Collection-Function-Name", DIA_URI, M,
	  0, NULL },
[AVP_USER_AUTHORIZATION_TYPE] =
	{ 623, TGPP, "User-Authorization-Type", DIA_ENUM, M, 2, NULL },
[AVP_USER_DATA_ALREADY_AVAILABLE] =
	{ 624, TGPP, "User-Data-Already-Available", DIA_ENUM, M, 1, NULL },
[AVP_CONFIDENTIALITY_KEY] =
	{ 625, TGPP, "Confidentiality-Key", DIA_OCTETS, M, 0, NULL },
[AVP_INTEGRITY_KEY] = { 626, TGPP, "Integrity-Key", DIA_OCTETS, M, 0, NULL },
[AVP_SUPPORTED_FEATURES] =
	{ 628, TGPP, "Supported-Features", DIA_GROUPED, 0, 0,
	  supported_features },
[AVP_FEATURE_LIST_ID] = { 629, TGPP, "Feature-List-ID", DIA_U32, 0, 0, NULL },
[AVP_FEATURE_LIST] = { 630, TGPP, "Feature-List", DIA_U32, 0, 0, NULL },
[AVP_ASSOCIATED_IDENTITIES] =
	{ 632, TGPP, "Associated-Identities", DIA_GROUPED, 0, 0, free_group },
[AVP_ORIGINATING_REQUEST] =
	{ 633, TGPP, "Originating-Request", DIA_ENUM, M, 0, NULL },
[AVP_WILDCARDED_PUBLIC_IDENTITY] =
	{ 634, TGPP, "Wildcarded-Public-Identity", DIA_UTF8, 0, 0, NULL },
[AVP_SIP_DIGEST_AUTHENTICATE] =
	{ 635, TGPP, "SIP-Digest-Authenticate", DIA_GROUPED, 0, 0, free_group },
[AVP_UAR_FLAGS] = { 637, TGPP, "UAR-Flags", DIA_U32, 0, 0, NULL },
[AVP_LOOSE_ROUTE_INDICATION] =
	{ 638, TGPP, "Loose-Route-Indication", DIA_ENUM, 0, 0, NULL },
[AVP_SCSCF_RESTORATION_INFO] =
	{ 639, TGPP, "SCSCF-Restoration-Info", DIA_GROUPED, 0, 0, NULL },
[AVP_ASSOCIATED_REGISTERED_IDENTITIES] =
	{ 647, TGPP, "Associated-Registered-Identities", DIA_GROUPED, 0, 0,
	  free_group },
[AVP_MULTIPLE_REGISTRATION_INDICATION] =
	{ 648, TGPP, "Multiple-Registration-Indication", DIA_ENUM, 0, 0, NULL },
[AVP_SESSION_PRIORITY] =
	{ 650, TGPP, "Session-Priority", DIA_ENUM, 0, 0, NULL },
[AVP_IDENTITY_WITH_EMERGENCY_REGISTRATION] =
	{ 651, TGPP, "Identity-with-Emergency-Registration", DIA_GROUPED, 0, 0,
	  free_group },
[AVP_PRIVILEDGED_SENDER_INDICATION] =
	{ 652, TGPP, "Priviledged-Sender-Indication", DIA_ENUM, 0, 0, NULL },
[AVP_LIA_FLAGS] = { 653, TGPP, "LIA-Flags", DIA_U32, 0, 0, NULL },
[AVP_SAR_FLAGS] = { 655, TGPP, "SAR-Flags", DIA_U32, 0, 0, NULL },
[AVP_RTR_FLAGS] = { 659, TGPP, "RTR-Flags", DIA_U32, 0, 0, NULL },
};

/* What requests hold: RFC 6733 5.3.1, 5.4.1, 5.5.1 */
static const struct dia_rule cer[] = {
	{ AVP_ORIGIN_HOST, 1, 1 }, { AVP_ORIGIN_REALM, 1, 1 },
	{ AVP_HOST_IP_ADDRESS, 1, ANY }, { AVP_VENDOR_ID, 1, 1 },
	{ AVP_PRODUCT_NAME, 1, 1 }, { AVP_ORIGIN_STATE_ID, 0, 1 },
	{ AVP_FIRMWARE_REVISION, 0, 1 }, END
};
static const struct dia_rule dwr[] = {
	{ AVP_ORIGIN_HOST, 1, 1 }, { AVP_ORIGIN_REALM, 1, 1 },
	{ AVP_ORIGIN_STATE_ID, 0, 1 }, END
};
static const struct dia_rule dpr[] = {
	{ AVP_ORIGIN_HOST, 1, 1 }, { AVP_ORIGIN_REALM, 1, 1 },
	{ AVP_DISCONNECT_CAUSE, 1, 1 }, END
};
/* every request of Cx (TS 29.229 6.1) */
static const struct dia_rule cx_head[] = {
	{ AVP_SESSION_ID, 1, 1 },
	{ AVP_VENDOR_SPECIFIC_APPLICATION_ID, 1, 1 },
	{ AVP_AUTH_SESSION_STATE, 1, 1 }, { AVP_ORIGIN_HOST, 1, 1 },
	{ AVP_ORIGIN_REALM, 1, 1 }, { AVP_DESTINATION_REALM, 1, 1 },
	{ AVP_DESTINATION_HOST, 0, 1 }, END
};
static const struct dia_rule uar[] = { /* 6.1.1 */
	{ AVP_USER_NAME, 1, 1 }, { AVP_PUBLIC_IDENTITY, 1, 1 },
	{ AVP_VISITED_NETWORK_IDENTIFIER, 1, 1 },
	{ AVP_USER_AUTHORIZATION_TYPE, 0, 1 }, { AVP_UAR_FLAGS, 0, 1 }, END
};
static const struct dia_rule sar[] = { /* 6.1.3 */
	{ AVP_USER_NAME, 0, 1 }, { AVP_PUBLIC_IDENTITY, 0, ANY },
	{ AVP_SERVER_NAME, 1, 1 }, { AVP_SERVER_ASSIGNMENT_TYPE, 1, 1 },
	{ AVP_USER_DATA_ALREADY_AVAILABLE, 1, 1 }, END
};
static const struct dia_rule lir[] = { /* 6.1.5 */
	{ AVP_PUBLIC_IDENTITY, 1, 1 }, { AVP_ORIGINATING_REQUEST, 0, 1 },
	{ AVP_USER_AUTHORIZATION_TYPE, 0, 1 }, END
};
static const struct dia_rule mar[] = { /* 6.1.7 */
	{ AVP_USER_NAME, 1, 1 }, { AVP_PUBLIC_IDENTITY, 1, 1 },
	{ AVP_SIP_AUTH_DATA_ITEM, 1, 1 }, { AVP_SIP_NUMBER_AUTH_ITEMS, 1, 1 },
	{ AVP_SERVER_NAME, 1, 1 }, END
};
static const struct dia_rule rtr[] = { /* 6.1.9 */
	{ AVP_DESTINATION_HOST, 1, 1 }, { AVP_USER_NAME, 1, 1 },
	{ AVP_PUBLIC_IDENTITY, 0, ANY }, { AVP_DEREGISTRATION_REASON, 1, 1 },
	END
};
static const struct dia_rule ppr[] = { /* 6.1.11 */
	{ AVP_DESTINATION_HOST, 1, 1 }, { AVP_USER_NAME, 1, 1 }, END
};

static const struct dia_command commands[] = {
	{ DIA_CE, DIA_APP_BASE, "CER", "CEA", { cer } },
	{ DIA_DW, DIA_APP_BASE, "DWR", "DWA", { dwr } },
	{ DIA_DP, DIA_APP_BASE, "DPR", "DPA", { dpr } },
	{ DIA_UA, DIA_APP_CX, "UAR", "UAA", { cx_head, uar } },
	{ DIA_SA, DIA_APP_CX, "SAR", "SAA", { cx_head, sar } },
	{ DIA_LI, DIA_APP_CX, "LIR", "LIA", { cx_head, lir } },
	{ DIA_MA, DIA_APP_CX, "MAR", "MAA", { cx_head, mar } },
	{ DIA_RT, DIA_APP_CX, "RTR", "RTA", { cx_head, rtr } },
	{ DIA_PP, DIA_APP_CX, "PPR", "PPA", { cx_head, ppr } },
};

/* Two number spaces: RFC 6733 7.1 and TS 29.229 6.2 */
static const struct {
	uint32_t code;
	bool is_experimental;
	const char *name;
} results[] = {
	{ 1001, false, "MULTI_ROUND_AUTH" },
	{ 2001, false, "SUCCESS" },
	{ 2002, false, "LIMITED_SUCCESS" },
	{ 3001, false, "COMMAND_UNSUPPORTED" },
	{ 3002, false, "UNABLE_TO_DELIVER" },
	{ 3003, false, "REALM_NOT_SERVED" },
	{ 3004, false, "TOO_BUSY" },
	{ 3005, false, "LOOP_DETECTED" },
	{ 3007, false, "APPLICATION_UNSUPPORTED" },
	{ 3008, false, "INVALID_HDR_BITS" },
	{ 3009, false, "INVALID_AVP_BITS" },
	{ 3010, false, "UNKNOWN_PEER" },
	{ 4003, false, "ELECTION_LOST" },
	{ 5001, false, "AVP_UNSUPPORTED" },
	{ 5003, false, "AUTHORIZATION_REJECTED" },
	{ 5004, false, "INVALID_AVP_VALUE" },
	{ 5005, false, "MISSING_AVP" },
	{ 5008, false, "AVP_NOT_ALLOWED" },
	{ 5009, false, "AVP_OCCURS_TOO_MANY_TIMES" },
	{ 5010, false, "NO_COMMON_APPLICATION" },
	{ 5011, false, "UNSUPPORTED_VERSION" },
	{ 5012, false, "UNABLE_TO_COMPLY" },
	{ 5014, false, "INVALID_AVP_LENGTH" },
	{ 5015, false, "INVALID_MESSAGE_LENGTH" },
	{ 5017, false, "NO_COMMON_SECURITY" },
	{ 2001, true, "FIRST_REGISTRATION" },
	{ 2002, true, "SUBSEQUENT_REGISTRATION" },
	{ 2003, true, "UNREGISTERED_SERVICE" },
	{ 2004, true, "SUCCESS_SERVER_NAME_NOT_STORED" },
	{ 2005, true, "SERVER_SELECTION" },
	{ 5001, true, "ERROR_USER_UNKNOWN" },
	{ 5002, true, "ERROR_IDENTITIES_DONT_MATCH" },
	{ 5003, true, "ERROR_IDENTITY_NOT_REGISTERED" },
	{ 5004, true, "ERROR_ROAMING_NOT_ALLOWED" },
	{ 5005, true, "ERROR_IDENTITY_ALREADY_REGISTERED" },
	{ 5006, true, "ERROR_AUTH_SCHEME_NOT_SUPPORTED" },
	{ 5007, true, "ERROR_IN_ASSIGNMENT_TYPE" },
	{ 5008, true, "ERROR_TOO_MUCH_DATA" },
	{ 5009, true, "ERROR_NOT_SUPPORTED_USER_DATA" },
	{ 5011, true, "ERROR_FEATURE_UNSUPPORTED" },
	{ 5012, true, "ERROR_SERVING_NODE_FEATURE_UNSUPPORTED" },
};
/* clang-format on */

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/** The row of an AVP; its name is NULL for AVP_NONE */
const struct dia_avp_def *dia_avp_def(enum dia_avp_id id)
{
	return &avps[id];
}

static bool is_before(const struct dia_avp_def *def, uint32_t code,
		      uint32_t vendor)
{
	return def->vendor != vendor ? def->vendor < vendor : def->code < code;
}

/** Which AVP it is: never by code alone (RFC 6733 4.1); AVP_NONE: unknown */
enum dia_avp_id dia_avp_id(uint32_t code, uint32_t vendor)
{
	int low = AVP_NONE + 1, high = AVP_COUNT;

	/* the rows are sorted by vendor and code */
	while (low < high) {
		int mid = (low + high) / 2;

		if (is_before(&avps[mid], code, vendor))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == AVP_COUNT || avps[low].code != code ||
	    avps[low].vendor != vendor)
		return AVP_NONE;

	return (enum dia_avp_id)low;
}

/** The command's row, or NULL */
const struct dia_command *dia_command_find(uint32_t code)
{
	for (size_t i = 0; i < LEN(commands); i++)
		if (commands[i].code == code)
			return &commands[i];

	return NULL;
}

/** "UAR", "UAA" and so on; "request" or "answer" where the code is unknown */
const char *dia_command_name(uint32_t code, bool is_request)
{
	const struct dia_command *c = dia_command_find(code);

	if (!c)
		return is_request ? "request" : "answer";

	return is_request ? c->request : c->answer;
}

/** A result's name without its DIAMETER_, "unknown" for other codes */
const char *dia_result_name(uint32_t code, bool is_experimental)
{
	for (size_t i = 0; i < LEN(results); i++)
		if (results[i].code == code &&
		    results[i].is_experimental == is_experimental)
			return results[i].name;

	return "unknown";
}
