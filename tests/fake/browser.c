#include "tests/fake/browser.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/mem.h"

void browser_expect_ok(const char *said, const char *name)
{
	char *good = xasprintf("ok %s\n", name);
	const char *at = strstr(said, good);

	/* "not ok NAME" has it, too */
	ck_assert_msg(at == said || (at && at[-1] == '\n'), "%s:\n%s", name,
		      said);
	free(good);
}
