/** @file browser.h  What the browser's tests said (tests/web/drive.mjs) */
#ifndef SIPSHARE_TESTS_BROWSER_H
#define SIPSHARE_TESTS_BROWSER_H

/** said has a line "ok NAME"; ends the test with all that was said if not */
void browser_expect_ok(const char *said, const char *name);

#endif
