/** @file https_bench.h  Both ends of HTTPS on one loop, for the tests of it */
#ifndef SIPSHARE_TESTS_HTTPS_BENCH_H
#define SIPSHARE_TESTS_HTTPS_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/https.h"

enum { ANSWERS_MAX = 512 };

/** An answer, kept */
struct answer {
	int status, retry_after_s;
	char *error, *body;
};

/** One loop, a server's and a client's element, and what they traced */
struct bench {
	struct loop *loop;
	struct element *server_el, *client_el;
	struct https_server *server;
	struct https_client *client;
	char dir[64], other_dir[64];
	char *cert, *ca, *other_cert, *other_ca;
	json_t *server_lines, *client_lines;
	struct answer answers[ANSWERS_MAX];
	int answer_n;
	struct https_req *kept; /* by the route /keep */
	int requests, gone;
};

extern struct bench bench;

void bench_setup(void);
void bench_teardown(void);
void bench_serve(bool is_mutual, size_t body_max);
void bench_client(const char *cert, const char *ca);
const struct answer *bench_call(const char *method, const char *path,
				const char *body);
void bench_send(const char *method, const char *path, const char *body);
void bench_send_url(const char *method, const char *url, const char *body);
const struct answer *bench_wait(int n);
void bench_run_until(bool (*fact)(const void *arg), const void *arg);

json_t *bench_event(json_t *lines, const char *name);
const char *bench_msg(json_t *lines, const char *dir, int nth);

#endif
