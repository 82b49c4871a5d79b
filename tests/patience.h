/** @file patience.h  How long a test waits for a fact */
#ifndef SIPSHARE_TESTS_PATIENCE_H
#define SIPSHARE_TESTS_PATIENCE_H

/* Against hanging for ever; how fast the machine is, no test asks */
enum { PATIENCE_MS = 120000 };

#endif
