/** @file sim_page.h  A run's report.html, for the browser */
#ifndef SIPSHARE_SIM_PAGE_H
#define SIPSHARE_SIM_PAGE_H

#include <stdbool.h>

/** "file:///…/report.html" of a run's folder; the caller's. NULL, with errno,
 * if there is none */
char *sim_page_url(const char *folder);
/** Show it: $BROWSER, or xdg-open, if there is one and a display. False if
 * not, which is no error */
bool sim_page_open(const char *url);

#endif
