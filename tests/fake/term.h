/** @file term.h  A terminal of any size, with a program in it: tmux
 *
 * One at a time; it ends with the test process, whatever becomes of the test.
 */
#ifndef SIPSHARE_TESTS_TERM_H
#define SIPSHARE_TESTS_TERM_H

/** Run a shell's command in it, with UTF-8; when it has ended, "code N" is
 * shown and the screen stays */
void term_start(int width, int height, const char *command);
void term_end(void);
void term_resize(int width, int height);
/** Press a key by tmux's name ("Down", "PageUp", "Enter", "q") */
void term_key(const char *name);
/** Type characters */
void term_type(const char *text);
/** The screen as text, one line a row, once it shows needle; ends the test
 * with the screen if it does not within a bound. Valid until the next call */
const char *term_wait(const char *needle);
/** The same, once it does not show it any more */
const char *term_wait_gone(const char *needle);

#endif
