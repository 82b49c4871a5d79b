#include "tests/fake/boss_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <check.h>

#include "common/element.h"
#include "common/https.h"
#include "common/mem.h"

struct boss_bed boss_bed;

/* --- a platform that takes what it is sent --- */

static void rx_put(struct https_req *req, void *arg)
{
	json_t *body = https_req_json(req);
	json_t *accounts = json_object_get(body, "accounts");
	size_t n = json_array_size(accounts) - boss_bed.counts_wrongly;

	(void)arg;
	boss_bed.puts++;
	ck_assert_str_eq(https_req_peer_name(req), "boss");
	json_array_extend(boss_bed.pool_seen, accounts);
	if (boss_bed.put_status != 200)
		https_reply_error(req, boss_bed.put_status,
				  "the pool is closed");
	else
		https_reply_json(req, 200,
				 json_pack("{s:I, s:i, s:I}", "added",
					   (json_int_t)n, "known", 0, "total",
					   (json_int_t)n));
	json_decref(body);
}

static void start_platform(void)
{
	static const struct https_route routes[] = {
		{ "PUT", "/v1/pool", rx_put },
		{ NULL, NULL, NULL },
	};
	char *cert = xstrdup(hss_bed_cert(&boss_bed.bed, "platform"));
	const struct https_server_cfg cfg = { .listen = "127.0.0.1:0",
					      .cert_file = cert,
					      .ca_file = boss_bed.bed.ca };
	char *reason = NULL;

	boss_bed.put_status = 200;
	boss_bed.pool_seen = json_array();
	boss_bed.platform_el = element_new_on(boss_bed.bed.loop, "platform");
	ck_assert_msg(!https_server_new(&boss_bed.platform,
					boss_bed.platform_el, &cfg, routes,
					NULL, &reason),
		      "%s", reason ? reason : "no reason");
	snprintf(boss_bed.platform_url, sizeof(boss_bed.platform_url),
		 "https://%s", https_server_addr(boss_bed.platform));
	free(cert);
}

/* --- the BOSS, with a runner at its control channel --- */

void boss_bed_start(void)
{
	const struct boss_cfg cfg = { .hss = boss_bed.bed.url,
				      .platform = boss_bed.platform_url,
				      .https = "127.0.0.1:0",
				      .cert = hss_bed_cert(&boss_bed.bed,
							   "boss"),
				      .ca = boss_bed.bed.ca,
				      .realm = "ims.test",
				      .pool_file = boss_bed.pool,
				      .store = boss_bed.store };
	char *reason = NULL;
	int fds[2];

	boss_bed.boss = boss_free(boss_bed.boss);
	ctl_free(boss_bed.bed.peer->ctl);
	ctl_free(boss_bed.runner);
	ck_assert_int_eq(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, fds),
			 0);
	boss_bed.bed.peer->ctl = ctl_new(boss_bed.bed.loop, fds[0]);
	boss_bed.runner = ctl_new(boss_bed.bed.loop, fds[1]);
	ck_assert_msg(
		!boss_new(&boss_bed.boss, boss_bed.bed.peer, &cfg, &reason),
		"%s", reason ? reason : "no reason");
}

void boss_bed_setup(void)
{
	memset(&boss_bed, 0, sizeof(boss_bed));
	hss_bed_setup(&boss_bed.bed, "boss");
	snprintf(boss_bed.batch, sizeof(boss_bed.batch), "%.200s/batch.txt",
		 boss_bed.bed.dir);
	snprintf(boss_bed.store, sizeof(boss_bed.store), "%.200s/boss.db",
		 boss_bed.bed.dir);
	snprintf(boss_bed.pool, sizeof(boss_bed.pool), "%.200s/pool.txt",
		 boss_bed.bed.dir);
	start_platform();
	boss_bed_start();
}

void boss_bed_teardown(void)
{
	boss_free(boss_bed.boss);
	ctl_free(boss_bed.runner);
	https_server_free(boss_bed.platform);
	element_free(boss_bed.platform_el);
	hss_bed_teardown(&boss_bed.bed);
	json_decref(boss_bed.pool_seen);
	json_decref(boss_bed.result);
	free(boss_bed.error);
}

static void on_answer(json_t *result, const char *error, void *arg)
{
	(void)arg;
	json_decref(boss_bed.result);
	boss_bed.result = json_incref(result);
	xstrset(&boss_bed.error, error);
	boss_bed.answers++;
}

void boss_bed_begin(const char *name, json_t *args)
{
	boss_bed.answers = 0;
	ctl_call(boss_bed.runner, name, args, on_answer, NULL);
}

void boss_bed_command(const char *name, json_t *args)
{
	boss_bed_begin(name, args);
	hss_bed_wait(&boss_bed.bed, &boss_bed.answers, 1);
}

void boss_bed_expect_error(const char *text)
{
	ck_assert_msg(boss_bed.error && strstr(boss_bed.error, text), "%s",
		      boss_bed.error ? boss_bed.error : "no error");
}

json_int_t boss_bed_number(const char *name)
{
	ck_assert_msg(!boss_bed.error, "%s", boss_bed.error);

	return json_integer_value(json_object_get(boss_bed.result, name));
}

void boss_bed_open_range(const char *first, const char *last)
{
	boss_bed_command("open_accounts",
			 json_pack("{s:s, s:s, s:s}", "first", first, "last",
				   last, "rule", "sip:{number}@ims.test"));
}

void boss_bed_write_batch(const char *text)
{
	FILE *f = fopen(boss_bed.batch, "w");

	fputs(text, f);
	fclose(f);
}

void boss_bed_sync(const char *by)
{
	boss_bed_command("sync", json_pack("{s:s}", "by", by));
}

const char *boss_bed_pool_text(void)
{
	static char text[4096];
	FILE *f = fopen(boss_bed.pool, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	ck_assert_ptr_nonnull(f);
	fclose(f);
	text[n] = '\0';

	return text;
}

const char *boss_bed_status(size_t i)
{
	json_t *accounts = json_object_get(boss_bed.result, "accounts");

	return json_string_value(
		json_object_get(json_array_get(accounts, i), "status"));
}
