/** @file opt.h  Command lines from one table, with the --help made from it */
#ifndef SIPSHARE_OPT_H
#define SIPSHARE_OPT_H

enum opt_type {
	OPT_END,
	OPT_STRING, /**< const char **, borrowed from argv */
	OPT_INT,    /**< int *, with the bounds of the row */
	OPT_FLAG,   /**< bool *, set to true */
	OPT_LIST,   /**< struct opt_list *, may be given more than once */
	OPT_CALL    /**< opt_cb *, called with each value */
};

enum { OPT_LIST_MAX = 64 };

/** Values of an option that may be given more than once */
struct opt_list {
	const char *v[OPT_LIST_MAX];
	int n;
};

/** Takes a value; gives NULL, or what is wrong with it (static text) */
typedef const char *opt_cb(const char *value);

/** One option; a table of them ends with OPT_END */
struct opt {
	enum opt_type type;
	const char *name; /**< without dashes */
	const char *arg;  /**< what the value is, for --help */
	const char *text; /**< what it does, default included */
	void *dst;
	opt_cb *call;
	int min, max; /**< of OPT_INT */
};

/** How a command line was read */
enum opt_result { OPT_OK, OPT_HELP, OPT_BAD };

enum opt_result opt_parse(const struct opt *tables[], const char *usage,
			  int *argcp, char **argv);
void opt_help(const struct opt *tables[], const char *usage);

#endif
