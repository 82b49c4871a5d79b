/* The HSS's Cx procedures by themselves (TS 29.228 6.1, 6.3), its profile and
 * the description of its provisioning service */
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlschemas.h>

#include "common/mem.h"
#include "ims_core/hss/hss_core.h"
#include "tests/suite.h"

#define IMPU "sip:+8657110000001@ims.test"
#define IMPI "+8657110000001@ims.test"
#define SCSCF "sip:127.1.1.3:5060"
#define OTHER "sip:127.1.1.9:5060"

static char *appservers[] = { (char *)"sip:127.1.2.1:5060",
			      (char *)"sip:127.1.2.4:5060" };
static struct hss hss = { .realm = (char *)"ims.test",
			  .scscf = (char *)SCSCF,
			  .appservers = appservers,
			  .appserver_n = 1 };

static struct hss_user user_in(enum hss_state state, const char *scscf,
			       bool is_auth_pending)
{
	return (struct hss_user){
		.impu = IMPU,
		.impi = IMPI,
		.number = "+8657110000001",
		.realm = "ims.test",
		.ha1 = { [DIGEST_MD5] = "md5", [DIGEST_SHA256] = "sha256" },
		.reg = { state, scscf, is_auth_pending },
		.is_impi_known = true
	};
}

static void expect_result(const struct cx_result *r, uint32_t code,
			  bool is_experimental)
{
	ck_assert_uint_eq(r->code, code);
	ck_assert_int_eq(r->is_experimental, is_experimental);
}

/* --- UAR --- */

static struct cx_uaa uar(const struct hss_user *user, enum cx_auth_type type)
{
	const struct cx_uar req = { IMPI, IMPU, "\"visited.test\"", type };
	struct cx_uaa uaa = { 0 };

	hss_uar(&uaa, &hss, user, &req);

	return uaa;
}

START_TEST(who_is_not_registered_gets_the_first_s_cscf)
{
	struct hss_user user = user_in(HSS_NOT_REGISTERED, NULL, false);
	struct cx_uaa uaa = uar(&user, CX_REGISTRATION);

	expect_result(&uaa.result, CX_FIRST_REGISTRATION, true);
	ck_assert_str_eq(uaa.server_name, SCSCF);
}
END_TEST

START_TEST(who_was_challenged_goes_to_the_s_cscf_that_did_it)
{
	struct hss_user user = user_in(HSS_NOT_REGISTERED, OTHER, true);
	struct cx_uaa uaa = uar(&user, CX_REGISTRATION);

	expect_result(&uaa.result, CX_SUBSEQUENT_REGISTRATION, true);
	ck_assert_str_eq(uaa.server_name, OTHER);
}
END_TEST

START_TEST(who_is_registered_goes_to_the_same_s_cscf)
{
	struct hss_user user = user_in(HSS_REGISTERED, OTHER, false);
	struct cx_uaa uaa = uar(&user, CX_REGISTRATION);

	expect_result(&uaa.result, CX_SUBSEQUENT_REGISTRATION, true);
	ck_assert_str_eq(uaa.server_name, OTHER);

	uaa = uar(&user, CX_DE_REGISTRATION);
	expect_result(&uaa.result, CX_SUCCESS, false);
	ck_assert_str_eq(uaa.server_name, OTHER);

	uaa = uar(&user, CX_REGISTRATION_AND_CAPABILITIES);
	expect_result(&uaa.result, CX_SUCCESS, false);
	ck_assert_str_eq(uaa.server_name, SCSCF);
}
END_TEST

START_TEST(who_is_not_registered_cannot_deregister)
{
	struct hss_user user = user_in(HSS_NOT_REGISTERED, SCSCF, true);
	struct cx_uaa uaa = uar(&user, CX_DE_REGISTRATION);

	expect_result(&uaa.result, CX_ERROR_IDENTITY_NOT_REGISTERED, true);
	ck_assert_ptr_null(uaa.server_name);
}
END_TEST

START_TEST(who_is_unknown_or_not_who_they_say_is_refused)
{
	struct hss_user user = user_in(HSS_NOT_REGISTERED, NULL, false);
	struct cx_uaa uaa = uar(NULL, CX_REGISTRATION);

	expect_result(&uaa.result, CX_ERROR_USER_UNKNOWN, true);

	user.impi = "+8657110000002@ims.test";
	uaa = uar(&user, CX_REGISTRATION);
	expect_result(&uaa.result, CX_ERROR_IDENTITIES_DONT_MATCH, true);

	user.is_impi_known = false;
	uaa = uar(&user, CX_REGISTRATION);
	expect_result(&uaa.result, CX_ERROR_USER_UNKNOWN, true);
	ck_assert_ptr_null(uaa.server_name);
}
END_TEST

START_TEST(roaming_is_bounded_by_the_networks_named)
{
	static char *visited[] = { (char *)"home.test",
				   (char *)"Visited.test" };
	struct hss_user user = user_in(HSS_REGISTERED, SCSCF, false);
	struct cx_uaa uaa;

	hss.visited = visited;
	hss.visited_n = 1;
	uaa = uar(&user, CX_REGISTRATION);
	expect_result(&uaa.result, CX_ERROR_ROAMING_NOT_ALLOWED, true);
	uaa = uar(&user, CX_DE_REGISTRATION);
	expect_result(&uaa.result, CX_SUCCESS, false);

	hss.visited_n = 2;
	uaa = uar(&user, CX_REGISTRATION);
	expect_result(&uaa.result, CX_SUBSEQUENT_REGISTRATION, true);
}
END_TEST

/* --- MAR --- */

static struct cx_result mar(struct hss_reg *next, const struct hss_user *user,
			    const char *scheme)
{
	const struct cx_mar req = { IMPI, IMPU, scheme, SCSCF, 1 };
	struct cx_result result = { 0 };

	hss_mar_decide(&result, next, user, &req);

	return result;
}

START_TEST(a_challenge_stores_the_s_cscf_and_is_pending)
{
	struct hss_user user = user_in(HSS_NOT_REGISTERED, NULL, false);
	struct hss_reg next;
	struct cx_result result = mar(&next, &user, "SIP Digest");

	expect_result(&result, CX_SUCCESS, false);
	ck_assert_int_eq(next.state, HSS_NOT_REGISTERED);
	ck_assert_str_eq(next.scscf, SCSCF);
	ck_assert(next.is_auth_pending);
}
END_TEST

START_TEST(a_challenge_while_registered_changes_nothing_but_a_new_s_cscf)
{
	struct hss_user user = user_in(HSS_REGISTERED, SCSCF, false);
	struct hss_reg next;
	struct cx_result result = mar(&next, &user, "unknown");

	expect_result(&result, CX_SUCCESS, false);
	ck_assert(!next.is_auth_pending);
	ck_assert_int_eq(next.state, HSS_REGISTERED);

	user.reg.scscf = OTHER;
	result = mar(&next, &user, "unknown");
	expect_result(&result, CX_SUCCESS, false);
	ck_assert(next.is_auth_pending);
	ck_assert_str_eq(next.scscf, SCSCF);
}
END_TEST

START_TEST(another_scheme_is_refused)
{
	struct hss_user user = user_in(HSS_NOT_REGISTERED, NULL, false);
	struct hss_reg next = { 0 };
	struct cx_result result = mar(&next, &user, "Digest-AKAv1-MD5");

	expect_result(&result, CX_ERROR_AUTH_SCHEME_NOT_SUPPORTED, true);
	ck_assert_ptr_null(next.scscf);
}
END_TEST

START_TEST(the_data_has_an_item_for_each_algorithm_asked_for)
{
	struct hss_user user = user_in(HSS_NOT_REGISTERED, NULL, false);
	struct cx_mar req = { IMPI, IMPU, "SIP Digest", SCSCF, 1 };
	struct cx_maa maa = { 0 };

	hss_mar_fill(&maa, &user, &req);
	ck_assert_uint_eq(maa.item_n, 1);
	ck_assert_str_eq(maa.items[0].algorithm, "MD5");
	ck_assert_str_eq(maa.items[0].ha1, "md5");
	ck_assert_str_eq(maa.items[0].scheme, "SIP Digest");
	ck_assert_str_eq(maa.items[0].realm, "ims.test");
	ck_assert_str_eq(maa.items[0].qop, "auth");

	memset(&maa, 0, sizeof(maa));
	req.item_n = 4000000000;
	hss_mar_fill(&maa, &user, &req);
	ck_assert_uint_eq(maa.item_n, 2);
	ck_assert_str_eq(maa.items[0].algorithm, "SHA-256");
	ck_assert_str_eq(maa.items[0].ha1, "sha256");
	ck_assert_str_eq(maa.items[1].algorithm, "MD5");
	ck_assert_str_eq(maa.impi, IMPI);
	ck_assert_str_eq(maa.impu, IMPU);
}
END_TEST

/* --- SAR --- */

/** An assignment and what must follow; server is always SCSCF */
struct sar_case {
	struct hss_reg before, after; /* after: of a success */
	enum cx_sat type;
	uint32_t code;
	bool is_experimental, has_profile;
};

#define NOT HSS_NOT_REGISTERED
#define UNREG HSS_UNREGISTERED
#define REG HSS_REGISTERED
#define BUSY CX_UNABLE_TO_COMPLY
#define OK CX_SUCCESS

/* clang-format off */
static const struct sar_case sar_cases[] = {
	{ { NOT, SCSCF, true }, { REG, SCSCF, false },
	  CX_SAT_REGISTRATION, OK, false, true },
	{ { NOT, NULL, false }, { REG, SCSCF, false },
	  CX_SAT_REGISTRATION, OK, false, true },
	{ { REG, SCSCF, false }, { REG, SCSCF, false },
	  CX_SAT_REGISTRATION, OK, false, true },
	{ { UNREG, SCSCF, true }, { REG, SCSCF, false },
	  CX_SAT_REGISTRATION, OK, false, true },
	{ { REG, OTHER, false }, { 0 },
	  CX_SAT_REGISTRATION, CX_ERROR_IDENTITY_ALREADY_REGISTERED, true, true },
	{ { REG, SCSCF, true }, { REG, SCSCF, false },
	  CX_RE_REGISTRATION, OK, false, true },
	{ { REG, SCSCF, true }, { REG, SCSCF, true },
	  CX_NO_ASSIGNMENT, OK, false, true },
	{ { REG, OTHER, false }, { 0 },
	  CX_NO_ASSIGNMENT, BUSY, false, true },
	{ { NOT, NULL, false }, { 0 },
	  CX_NO_ASSIGNMENT, BUSY, false, true },
	{ { NOT, NULL, false }, { UNREG, SCSCF, false },
	  CX_UNREGISTERED_USER, OK, false, true },
	{ { REG, SCSCF, false }, { 0 },
	  CX_UNREGISTERED_USER, CX_ERROR_IN_ASSIGNMENT_TYPE, true, true },
	{ { REG, OTHER, false }, { 0 },
	  CX_UNREGISTERED_USER, CX_ERROR_IDENTITY_ALREADY_REGISTERED, true, true },
	{ { REG, SCSCF, false }, { NOT, NULL, false },
	  CX_USER_DEREGISTRATION, OK, false, false },
	{ { NOT, NULL, false }, { NOT, NULL, false },
	  CX_USER_DEREGISTRATION, OK, false, false },
	{ { REG, OTHER, false }, { 0 },
	  CX_USER_DEREGISTRATION, BUSY, false, false },
	{ { REG, SCSCF, false }, { NOT, NULL, false },
	  CX_TIMEOUT_DEREGISTRATION, OK, false, false },
	{ { REG, SCSCF, false }, { UNREG, SCSCF, false },
	  CX_TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME, OK, false, false },
	{ { REG, SCSCF, false }, { UNREG, SCSCF, false },
	  CX_USER_DEREGISTRATION_STORE_SERVER_NAME, OK, false, false },
	{ { NOT, NULL, false }, { 0 },
	  CX_USER_DEREGISTRATION_STORE_SERVER_NAME, BUSY, false, false },
	{ { REG, SCSCF, true }, { NOT, NULL, false },
	  CX_ADMINISTRATIVE_DEREGISTRATION, OK, false, false },
	{ { REG, SCSCF, false }, { NOT, NULL, false },
	  CX_DEREGISTRATION_TOO_MUCH_DATA, OK, false, false },
	{ { NOT, SCSCF, true }, { NOT, NULL, false },
	  CX_AUTHENTICATION_FAILURE, OK, false, false },
	{ { REG, SCSCF, true }, { REG, SCSCF, false },
	  CX_AUTHENTICATION_FAILURE, OK, false, false },
	{ { UNREG, SCSCF, true }, { UNREG, SCSCF, false },
	  CX_AUTHENTICATION_TIMEOUT, OK, false, false },
	{ { NOT, NULL, false }, { NOT, NULL, false },
	  CX_AUTHENTICATION_TIMEOUT, OK, false, false },
	{ { NOT, OTHER, true }, { 0 },
	  CX_AUTHENTICATION_FAILURE, BUSY, false, false },
	{ { REG, SCSCF, false }, { 0 },
	  (enum cx_sat)12, BUSY, false, false },
	{ { REG, SCSCF, false }, { 0 },
	  (enum cx_sat)-1, BUSY, false, false },
};
/* clang-format on */

START_TEST(an_assignment_follows_the_state)
{
	const struct sar_case *c = &sar_cases[_i];
	struct hss_user user = user_in(c->before.state, c->before.scscf,
				       c->before.is_auth_pending);
	struct cx_sar sar = { IMPI, IMPU, SCSCF, c->type, false };
	struct cx_result result = { 0 };
	struct hss_reg next = { 0 };

	hss_sar_decide(&result, &next, &user, &sar);
	expect_result(&result, c->code, c->is_experimental);
	ck_assert_int_eq(hss_sar_wants_profile(&sar), c->has_profile);
	if (result.is_experimental || result.code != CX_SUCCESS)
		return;

	ck_assert_int_eq(next.state, c->after.state);
	ck_assert_int_eq(next.is_auth_pending, c->after.is_auth_pending);
	ck_assert_pstr_eq(next.scscf, c->after.scscf);
}
END_TEST

START_TEST(an_s_cscf_that_has_the_profile_gets_it_only_without_assignment)
{
	struct cx_sar sar = { IMPI, IMPU, SCSCF, CX_RE_REGISTRATION, true };

	ck_assert(!hss_sar_wants_profile(&sar));
	sar.type = CX_NO_ASSIGNMENT;
	ck_assert(hss_sar_wants_profile(&sar));
}
END_TEST

/* --- LIR --- */

START_TEST(a_location_is_told_of_users_that_have_an_s_cscf)
{
	struct hss_user user = user_in(HSS_REGISTERED, OTHER, false);
	struct cx_lia lia = { 0 };

	hss_lir(&lia, &user);
	expect_result(&lia.result, CX_SUCCESS, false);
	ck_assert_str_eq(lia.server_name, OTHER);

	user = user_in(HSS_UNREGISTERED, OTHER, false);
	hss_lir(&lia, &user);
	ck_assert_str_eq(lia.server_name, OTHER);

	/* a challenge is no registration */
	user = user_in(HSS_NOT_REGISTERED, SCSCF, true);
	lia = (struct cx_lia){ 0 };
	hss_lir(&lia, &user);
	expect_result(&lia.result, CX_ERROR_IDENTITY_NOT_REGISTERED, true);
	ck_assert_ptr_null(lia.server_name);

	hss_lir(&lia, NULL);
	expect_result(&lia.result, CX_ERROR_USER_UNKNOWN, true);
}
END_TEST

/* --- the profile --- */

/* Names of elements, depth first; only the shape is of interest */
static void put_shape(char **shapep, const xmlNode *node)
{
	for (; node; node = node->next) {
		char *longer;

		if (node->type != XML_ELEMENT_NODE)
			continue;
		longer = xasprintf("%s%s(", *shapep, node->name);
		free(*shapep);
		*shapep = longer;
		put_shape(shapep, node->children);
		longer = xasprintf("%s)", *shapep);
		free(*shapep);
		*shapep = longer;
	}
}

#define SPT(what) "SPT(ConditionNegated()Group()" what "())"
#define IFC(triggers)                                                          \
	"InitialFilterCriteria(Priority()TriggerPoint(ConditionTypeCNF("       \
	")" triggers ")ApplicationServer(ServerName()DefaultHandling()))"

START_TEST(the_profile_has_the_elements_in_the_order_of_the_standard)
{
	struct hss_user user = user_in(HSS_REGISTERED, SCSCF, false);
	size_t len;
	char *text = hss_profile(&hss, &user, &len);
	xmlDoc *doc = xmlReadMemory(text, (int)len, NULL, NULL, 0);
	char *shape = xstrdup("");

	ck_assert_ptr_nonnull(doc);
	ck_assert_uint_eq(len, strlen(text));
	put_shape(&shape, xmlDocGetRootElement(doc));
	ck_assert_str_eq(shape,
			 "IMSSubscription(PrivateID()ServiceProfile("
			 "PublicIdentity(BarringIndication()Identity())"
			 "PublicIdentity(BarringIndication()Identity())" IFC(
				 SPT("Method"))
				 IFC(SPT("Method") SPT("SessionCase")) "))");
	ck_assert_ptr_nonnull(strstr(text, "<Identity>tel:+8657110000001<"));
	ck_assert_ptr_nonnull(strstr(text, "<Identity>" IMPU "<"));
	ck_assert_ptr_nonnull(strstr(text, "<PrivateID>" IMPI "<"));
	ck_assert_ptr_nonnull(strstr(text, "<Method>REGISTER<"));
	ck_assert_ptr_nonnull(strstr(text, "<ServerName>sip:127.1.2.1:5060<"));
	free(shape);
	xmlFreeDoc(doc);
	free(text);
}
END_TEST

/** A criterion of two AS: its trigger on the mark, and what stands behind */
static const struct {
	const char *method, *negated, *server, *handling;
} of_two[] = {
	{ "REGISTER", NULL, "sip:127.1.2.1:5060", "0" },
	{ "INVITE", NULL, "sip:127.1.2.1:5060", "0" },
	{ "REGISTER", NULL, "sip:127.1.2.4:5060", "0" },
	{ "INVITE", "0", "sip:127.1.2.4:5060", "0" },
	{ "INVITE", "1", "sip:127.1.2.4:5060", "1" },
};

static void expect_criterion(const char *text, int i)
{
	char *mark = xasprintf("<SPT><ConditionNegated>%s</ConditionNegated>"
			       "<Group>2</Group><SIPHeader><Header>"
			       "P-Charging-Vector</Header><Content>charged-by="
			       "</Content></SIPHeader></SPT>",
			       of_two[i].negated);
	char *end = xasprintf("<ServerName>%s</ServerName>"
			      "<DefaultHandling>%s</DefaultHandling>",
			      of_two[i].server, of_two[i].handling);
	const char *method = strstr(text, "<Method>");

	ck_assert_int_eq(
		strncmp(method + 8, of_two[i].method, strlen(of_two[i].method)),
		0);
	ck_assert_msg(strstr(text, end), "%s in %s", end, text);
	ck_assert(!strstr(text, "SIPHeader") == !of_two[i].negated);
	ck_assert(!of_two[i].negated || strstr(text, mark));
	free(mark);
	free(end);
}

/* One that does not answer is passed by, but for a caller whom none has charged
 * when it is the last */
START_TEST(two_application_servers_have_criteria_in_their_order)
{
	static const char start[] = "<InitialFilterCriteria><Priority>";
	struct hss_user user = user_in(HSS_REGISTERED, SCSCF, false);
	size_t len, n = 0;
	char *text, *at;
	long priority = -1;

	hss.appserver_n = 2;
	text = hss_profile(&hss, &user, &len);
	for (at = strstr(text, start); at; n++) {
		char *next = strstr(at + 1, start);

		ck_assert_uint_lt(n, sizeof(of_two) / sizeof(*of_two));
		ck_assert_int_gt(strtol(at + strlen(start), NULL, 10),
				 priority);
		priority = strtol(at + strlen(start), NULL, 10);
		if (next)
			next[-1] = '\0';
		expect_criterion(at, (int)n);
		at = next;
	}
	ck_assert_uint_eq(n, sizeof(of_two) / sizeof(*of_two));
	free(text);
}
END_TEST

START_TEST(without_an_application_server_there_are_no_criteria)
{
	struct hss_user user = user_in(HSS_REGISTERED, SCSCF, false);
	size_t len;
	char *text;

	hss.appserver_n = 0;
	text = hss_profile(&hss, &user, &len);
	ck_assert_ptr_null(strstr(text, "InitialFilterCriteria"));
	ck_assert_ptr_nonnull(strstr(text, "</ServiceProfile>"));
	free(text);
}
END_TEST

/* --- the WSDL --- */

static xmlNode *find_schema(xmlNode *node)
{
	xmlNode *found = NULL;

	for (; node && !found; node = node->next) {
		if (!xmlStrcmp(node->name, BAD_CAST "schema"))
			return node;
		found = find_schema(node->children);
	}

	return found;
}

static void say_nothing(void *arg, xmlError *error)
{
	(void)arg;
	(void)error;
}

/* Check a document against the schema within the WSDL */
static bool is_valid(const char *text)
{
	xmlDoc *wsdl =
		xmlReadMemory(hss_wsdl, (int)strlen(hss_wsdl), NULL, NULL, 0);
	xmlDoc *alone = xmlNewDoc(NULL);
	xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, 0);
	xmlSchemaParserCtxt *parser;
	xmlSchemaValidCtxt *valid;
	xmlSchema *schema;
	int result;

	ck_assert_ptr_nonnull(wsdl);
	xmlDocSetRootElement(
		alone, xmlDocCopyNode(find_schema(xmlDocGetRootElement(wsdl)),
				      alone, 1));
	xmlReconciliateNs(alone, xmlDocGetRootElement(alone));
	/* "tns" stands in values, which libxml2 does not reconcile */
	xmlNewNs(xmlDocGetRootElement(alone),
		 BAD_CAST "urn:sipshare:provisioning:1", BAD_CAST "tns");
	parser = xmlSchemaNewDocParserCtxt(alone);
	schema = xmlSchemaParse(parser);
	ck_assert_ptr_nonnull(schema);
	valid = xmlSchemaNewValidCtxt(schema);
	xmlSchemaSetValidStructuredErrors(valid, say_nothing, NULL);
	result = xmlSchemaValidateDoc(valid, doc);

	xmlSchemaFreeValidCtxt(valid);
	xmlSchemaFree(schema);
	xmlSchemaFreeParserCtxt(parser);
	xmlFreeDoc(doc);
	xmlFreeDoc(alone);
	xmlFreeDoc(wsdl);

	return !result;
}

#define OP(name, inside)                                                       \
	"<" name " xmlns='urn:sipshare:provisioning:1'>" inside "</" name ">"

START_TEST(the_wsdl_describes_what_is_sent)
{
	ck_assert(is_valid(OP("OpenAccountsByRange",
			      "<first>+1</first><last>+5</last>"
			      "<rule>sip:{number}@ims.test</rule>")));
	ck_assert(is_valid(OP("OpenAccountsByList",
			      "<account><number>1</number>"
			      "<uri>sip:1@ims.test</uri></account>")));
	ck_assert(is_valid(OP("ChangePassword", "<uri>sip:1@ims.test</uri>")));
	ck_assert(is_valid(OP("OpenAccountsByRangeResponse",
			      "<done>1</done><refused>0</refused><account>"
			      "<number>+1</number><uri>sip:+1@ims.test</uri>"
			      "<impi>+1@ims.test</impi><password>p</password>"
			      "<status>opened</status></account>")));
}
END_TEST

START_TEST(the_wsdl_does_not_describe_what_is_refused)
{
	ck_assert(!is_valid(OP("CloseAccount", "")));
	ck_assert(!is_valid(OP("CloseAccount", "<uri>tel:1</uri>")));
	ck_assert(!is_valid(OP("OpenAccountsByList", "")));
	ck_assert(!is_valid(OP("OpenAccountsByRange",
			       "<first>a</first><last>+5</last>"
			       "<rule>sip:{number}@ims.test</rule>")));
}
END_TEST

static Suite *hss_reg_suite(void)
{
	Suite *s = suite_create("hss_reg");
	TCase *tc = tcase_create("UAR, TS 29.228 6.1.1.1");

	tcase_add_test(tc, who_is_not_registered_gets_the_first_s_cscf);
	tcase_add_test(tc, who_was_challenged_goes_to_the_s_cscf_that_did_it);
	tcase_add_test(tc, who_is_registered_goes_to_the_same_s_cscf);
	tcase_add_test(tc, who_is_not_registered_cannot_deregister);
	tcase_add_test(tc, who_is_unknown_or_not_who_they_say_is_refused);
	tcase_add_test(tc, roaming_is_bounded_by_the_networks_named);
	suite_add_tcase(s, tc);

	tc = tcase_create("MAR, 6.3.1");
	tcase_add_test(tc, a_challenge_stores_the_s_cscf_and_is_pending);
	tcase_add_test(
		tc,
		a_challenge_while_registered_changes_nothing_but_a_new_s_cscf);
	tcase_add_test(tc, another_scheme_is_refused);
	tcase_add_test(tc, the_data_has_an_item_for_each_algorithm_asked_for);
	suite_add_tcase(s, tc);

	tc = tcase_create("SAR, 6.1.2.1");
	tcase_add_loop_test(tc, an_assignment_follows_the_state, 0,
			    sizeof(sar_cases) / sizeof(sar_cases[0]));
	tcase_add_test(
		tc,
		an_s_cscf_that_has_the_profile_gets_it_only_without_assignment);
	suite_add_tcase(s, tc);

	tc = tcase_create("LIR, 6.1.4.1");
	tcase_add_test(tc, a_location_is_told_of_users_that_have_an_s_cscf);
	suite_add_tcase(s, tc);

	tc = tcase_create("profile and WSDL");
	tcase_add_test(
		tc, the_profile_has_the_elements_in_the_order_of_the_standard);
	tcase_add_test(tc,
		       two_application_servers_have_criteria_in_their_order);
	tcase_add_test(tc, without_an_application_server_there_are_no_criteria);
	tcase_add_test(tc, the_wsdl_describes_what_is_sent);
	tcase_add_test(tc, the_wsdl_does_not_describe_what_is_refused);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(hss_reg_suite)
