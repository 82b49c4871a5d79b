/* Blocks of a pcapng file, as capinfos and tshark read them back */
#include "sim/sim_pcapng_block.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/suite.h"

enum { BLOCK_STATISTICS = 5, BLOCK_SECRETS = 10, LINKTYPE_ETHERNET = 1 };

/** The file being made, and its blocks' maker */
static struct {
	char path[40];
	FILE *f, *keys;
	struct sim_block block;
} t;

static void setup(void)
{
	int fd;

	snprintf(t.path, sizeof(t.path), "/tmp/sipshare-block-XXXXXX");
	fd = mkstemp(t.path);
	ck_assert_int_ge(fd, 0);
	t.f = fdopen(fd, "w+");
	t.keys = tmpfile();
	ck_assert(t.f && t.keys);
}

static void teardown(void)
{
	sim_block_clear(&t.block);
	fclose(t.keys);
	fclose(t.f);
	unlink(t.path);
}

/* Output of a command over the file; the caller's to free */
static char *ask(const char *command)
{
	size_t room = 1 << 20, len;
	char *line = xasprintf("%s %s 2>/dev/null", command, t.path);
	char *text = xcalloc(1, room);
	FILE *p;

	fflush(t.f);
	p = popen(line, "r"); /* NOLINT(cert-env33-c): a test */
	ck_assert_ptr_nonnull(p);
	len = fread(text, 1, room - 1, p);
	text[len] = '\0';
	ck_assert_msg(pclose(p) == 0, "%s:\n%s", line, text);
	free(line);

	return text;
}

static void check(const char *command, const char *needle)
{
	char *text = ask(command);

	ck_assert_msg(strstr(text, needle) != NULL, "no \"%s\" in:\n%s", needle,
		      text);
	free(text);
}

static void begin(const char *comment)
{
	static const struct sim_block_link link = {
		.type = LINKTYPE_ETHERNET,
		.snap_len = 1000,
		.name = "lo",
		.filter = "net 127.1.0.0/16",
		.digits = 9,
	};

	sim_block_write_section(&t.block, comment, t.f);
	sim_block_write_link(&t.block, &link, t.f);
}

/* Ethernet, IPv4 127.1.1.1 to 127.1.1.2, UDP 5060 to 5060, and what SIP's
 * clients send to keep a path open (RFC 5626 3.5.1) */
static const unsigned char frame[] = { 0, 0,  0,    0,    0,    0,    0,    0,
				       0, 0,  0,    0,    8,    0,    0x45, 0,
				       0, 32, 0,    0,    0,    0,    1,    17,
				       0, 0,  127,  1,    1,    1,    127,  1,
				       1, 2,  0x13, 0xc4, 0x13, 0xc4, 0,    12,
				       0, 0,  '\r', '\n', '\r', '\n' };

static void put_frame(uint64_t time, size_t wire_len)
{
	const struct sim_block_packet packet = { time, frame, sizeof(frame),
						 wire_len };

	sim_block_write_packet(&t.block, &packet, t.f);
}

START_TEST(packets_keep_bytes_lengths_and_nanoseconds)
{
	begin(NULL);
	put_frame(1700000000123456789, sizeof(frame));
	put_frame(1700000001000000001, 999);
	check("tshark -T fields -e frame.time_epoch -e frame.cap_len -e "
	      "frame.len -e ip.dst -e udp.dstport -e frame.interface_name -r",
	      "1700000000.123456789\t46\t46\t127.1.1.2\t5060\tlo\n"
	      "1700000001.000000001\t46\t999\t127.1.1.2\t5060\tlo\n");
}
END_TEST

START_TEST(comment_and_filter_are_found_by_who_opens_the_file)
{
	begin("the capture lost 3 of 9 packets");
	check("capinfos", "Capture comment:     the capture lost 3 of 9 "
			  "packets\n");
	check("capinfos", "Capture application: sipshare\n");
	check("capinfos", "Filter string = net 127.1.0.0/16\n");
}
END_TEST

/* The n-th block of that type: its body, NULL if there is none. What is read
 * is good until the next call */
static const unsigned char *find_block(uint32_t type, int n, uint32_t *lenp)
{
	static unsigned char body[4 << 20];
	uint32_t head[2], len;

	rewind(t.f);
	while (fread(head, sizeof(head), 1, t.f) == 1) {
		len = head[1] - 12;
		ck_assert_uint_le(len, sizeof(body));
		ck_assert_uint_eq(len % 4, 0);
		ck_assert_uint_eq(fread(body, 1, len, t.f), len);
		ck_assert_uint_eq(fread(&len, sizeof(len), 1, t.f), 1);
		ck_assert_uint_eq(len, head[1]);
		*lenp = head[1] - 12;
		if (head[0] == type && n-- == 0)
			return body;
	}

	return NULL;
}

START_TEST(statistics_stand_behind_the_packets)
{
	static const uint64_t counts[] = { 9, 3 };
	const unsigned char *body;
	uint32_t len;

	begin(NULL);
	put_frame(1700000000123456789, sizeof(frame));
	sim_block_write_statistics(&t.block, 1700000002000000000, counts, t.f);
	check("capinfos", "Number of stat entries = 1\n");
	check("capinfos", "Number of packets:   1\n");
	body = find_block(BLOCK_STATISTICS, 0, &len);
	ck_assert_ptr_nonnull(body);
	/* interface and time; then two options, a code and a length each */
	ck_assert_mem_eq(body + 16, &counts[0], sizeof(counts[0]));
	ck_assert_mem_eq(body + 28, &counts[1], sizeof(counts[1]));
}
END_TEST

START_TEST(secrets_are_written_once_each)
{
	static const char once[] = "A 1 2\nB 1 2\nlonger 1 2\n";
	const unsigned char *body;
	uint32_t len, head[2];

	fputs("A 1 2\nB 1 2\nA 1 2\n\xff\xfe\nlonger 1 2\nB 1 2\n", t.keys);
	rewind(t.keys);
	begin(NULL);
	ck_assert_int_eq(sim_block_write_secrets(&t.block, t.keys, t.f), 0);
	fflush(t.f);
	body = find_block(BLOCK_SECRETS, 0, &len);
	ck_assert_ptr_nonnull(body);
	memcpy(head, body, sizeof(head));
	ck_assert_uint_eq(head[0], 0x544c534b); /* TLS Key Log */
	ck_assert_uint_eq(head[1], sizeof(once) - 1);
	ck_assert_mem_eq(body + 8, once, sizeof(once) - 1);
	ck_assert_ptr_null(find_block(BLOCK_SECRETS, 1, &len));
	check("capinfos", "Number of decryption secrets in file: 1\n");
}
END_TEST

START_TEST(many_secrets_are_more_than_one_block)
{
	uint32_t len;

	for (int i = 0; i < 20000; i++)
		fprintf(t.keys, "CLIENT_TRAFFIC_SECRET_0 %064d %064d\n", i, i);
	rewind(t.keys);
	begin(NULL);
	ck_assert_int_eq(sim_block_write_secrets(&t.block, t.keys, t.f), 0);
	fflush(t.f);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(find_block(BLOCK_SECRETS, i, &len));
	check("capinfos", "Number of decryption secrets in file: 3\n");
}
END_TEST

START_TEST(no_secrets_are_no_block)
{
	uint32_t len;

	begin(NULL);
	ck_assert_int_eq(sim_block_write_secrets(&t.block, t.keys, t.f), 0);
	fflush(t.f);
	ck_assert_ptr_null(find_block(BLOCK_SECRETS, 0, &len));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_pcapng_block");
	TCase *tc = tcase_create("draft-ietf-opsawg-pcapng 4");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, packets_keep_bytes_lengths_and_nanoseconds);
	tcase_add_test(tc, comment_and_filter_are_found_by_who_opens_the_file);
	tcase_add_test(tc, statistics_stand_behind_the_packets);
	tcase_add_test(tc, secrets_are_written_once_each);
	tcase_add_test(tc, many_secrets_are_more_than_one_block);
	tcase_add_test(tc, no_secrets_are_no_block);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
