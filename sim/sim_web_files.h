/** @file sim_web_files.h  The page's sources, inside the program */
#ifndef SIPSHARE_SIM_WEB_FILES_H
#define SIPSHARE_SIM_WEB_FILES_H

/** The text of a file of sim/web/, or NULL: no such file */
const char *sim_web_file(const char *name);

#endif
