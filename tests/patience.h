/** @file patience.h  How long a test waits for a fact */
#ifndef SIPSHARE_TESTS_PATIENCE_H
#define SIPSHARE_TESTS_PATIENCE_H

/* Against hanging for ever; how fast the machine is, no test asks. The second
 * is for a browser with all that it is to do */
enum { PATIENCE_MS = 120000, BROWSER_PATIENCE_MS = 600000 };

#endif
