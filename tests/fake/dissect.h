/** @file dissect.h  A run's capture.pcapng as plain tshark sees it: it is given
 * no key and no option
 */
#ifndef SIPSHARE_TESTS_DISSECT_H
#define SIPSHARE_TESTS_DISSECT_H

/** What dissect_play() left; NULL before */
struct dissect {
	char *folder;  /**< of the run */
	char *capture; /**< the file */
};

extern struct dissect dissect;

/** Play scenarios/NAME.lua with --capture KIND, once for all tests of a case */
void dissect_play(const char *name, const char *kind);
void dissect_forget(void);
/** What tshark prints; good until the next call */
const char *dissect_args(const char *const *args);
#define DISSECT(...) dissect_args((const char *const[]){ __VA_ARGS__, NULL })
/** No frame is such */
void dissect_none(const char *filter);
/** The patent's sequence, S401 to S414 and S501 to S519, is seen in order */
void dissect_sequence(void);

#endif
