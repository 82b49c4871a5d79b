/** @file log.h  What this process decided, a line each
 *
 * ERROR: we broke. WARN: the peer broke. INFO: one line a procedure.
 * The log is the process's: one, set up by element_new(), stderr before that.
 */
#ifndef SIPSHARE_LOG_H
#define SIPSHARE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

int log_open(const char *path);
void log_close(void);
int log_set_level(const char *name);
void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
