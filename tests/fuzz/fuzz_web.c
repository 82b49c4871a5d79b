/* Fuzzes the reading of the live page's requests: whatever comes, a request
 * that is taken lies within the bytes, and comes out the same when its bytes
 * come alone. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "sim/sim_web_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sim_web_request *req)
{
	struct sim_web_refusal no;
	struct addr addr;

	if (addr_parse(&addr, "127.0.0.1:8080") || !*req->method ||
	    strchr(req->path, ' ') || strlen(req->body) > req->body_len)
		abort();
	/* what may act has a name and an origin of ours */
	if (sim_web_request_is_own(req, &addr, &no) &&
	    sim_web_request_may_act(req, &no) &&
	    (!strstr(req->host, ":8080") || (!req->origin && !req->site)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_web_request req, again;
	struct sim_web_refusal no;
	ssize_t took = sim_web_request_read(&req, data, size, &no);

	if (took > (ssize_t)size || took < -1)
		abort();
	if (took <= 0)
		return 0;

	check(&req);
	if (sim_web_request_read(&again, data, (size_t)took, &no) != took ||
	    strcmp(req.path, again.path) != 0)
		abort();
	sim_web_request_free(&req);
	sim_web_request_free(&again);

	return 0;
}
