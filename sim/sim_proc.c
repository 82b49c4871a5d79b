#include "sim/sim_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/loop.h"
#include "common/mem.h"

enum { LOG_TAIL = 2048, EXEC_FAILED = 127 };

/** Owned by the supervisor */
struct sim_proc {
	struct loop *loop;
	char *name;
	char *log;
	pid_t pid;
	int pidfd;
	struct loop_watch *exit_watch;
	struct ctl *ctl;
	const struct sim_proc_ops *ops;
	void *arg;
	json_t *addresses; /* NULL until ready */
	char *failed;      /* why it cannot start, by its own word */
	int status;        /* as waitpid() gave it */
	bool is_reaped;
	bool is_closed; /* its end of the channel */
	bool is_told;   /* of its end */
};

static void tell_end(struct sim_proc *proc)
{
	if (!proc->is_reaped || !proc->is_closed || proc->is_told)
		return;

	proc->is_told = true;
	proc->ops->end(proc, proc->arg);
}

static void on_exit_fd(void *arg)
{
	struct sim_proc *proc = arg;
	pid_t pid = waitpid(proc->pid, &proc->status, WNOHANG);

	if (pid == 0 || (pid < 0 && errno == EINTR))
		return;

	proc->exit_watch = loop_unwatch(proc->exit_watch);
	proc->is_reaped = true;
	tell_end(proc);
}

static void on_line(json_t *msg, void *arg)
{
	struct sim_proc *proc = arg;
	json_t *trace = json_object_get(msg, "trace");
	json_t *ready = json_object_get(msg, "ready");
	const json_t *failed = json_object_get(msg, "failed");

	if (json_is_string(failed))
		xstrset(&proc->failed, json_string_value(failed));
	if (trace)
		proc->ops->trace(proc, trace, proc->arg);
	if (json_object_get(msg, "halted"))
		proc->ops->halted(proc, proc->arg);
	if (!json_is_object(ready) || proc->addresses)
		return;

	proc->addresses = json_incref(ready);
	proc->ops->ready(proc, proc->arg);
}

static void on_channel_end(void *arg)
{
	struct sim_proc *proc = arg;

	proc->is_closed = true;
	tell_end(proc);
}

/* In the child, between fork and exec: async-signal-safe calls only */
static void become(const struct sim_proc_cfg *cfg, int ctl_fd, int log_fd,
		   pid_t parent)
{
	static const char failed[] = "cannot be executed\n";
	sigset_t none;

	sigemptyset(&none);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Ctrl-C is the runner's: it ends the elements in order */
	(void)setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXEC_FAILED); /* the runner died in between */

	/* both are above the channel's number, see above_ctl_fd() */
	if (dup2(ctl_fd, SIM_PROC_CTL_FD) < 0 || dup2(log_fd, 1) < 0 ||
	    dup2(log_fd, 2) < 0)
		_exit(EXEC_FAILED);
	(void)close(0);
	(void)open("/dev/null", O_RDONLY);
	(void)close_range(SIM_PROC_CTL_FD + 1, ~0U, 0);
	execv(cfg->path, cfg->argv);
	if (write(2, cfg->path, strlen(cfg->path)) >= 0 &&
	    write(2, ": ", 2) >= 0)
		(void)!write(2, failed, sizeof(failed) - 1);
	_exit(EXEC_FAILED);
}

static int above_ctl_fd(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, SIM_PROC_CTL_FD + 1);

	close(fd);

	return moved;
}

static int start(struct sim_proc *proc, const struct sim_proc_cfg *cfg,
		 int ctl_fd, int log_fd)
{
	pid_t parent = getpid();
	sigset_t all, before;
	int err = 0;

	/* no handler of ours may run in the child */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	proc->pid = fork();
	if (proc->pid == 0)
		become(cfg, ctl_fd, log_fd, parent);
	if (proc->pid < 0)
		err = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (err)
		return err;

	proc->pidfd = pidfd_open(proc->pid, 0);
	if (proc->pidfd < 0) {
		err = errno;
		(void)kill(proc->pid, SIGKILL);
		(void)waitpid(proc->pid, &proc->status, 0);
		proc->is_reaped = true;
	}

	return err;
}

/**
 * Start a process
 *
 * @param ops Called from the loop, never before this has returned; static
 *
 * @return 0, or why it could not be started
 */
int sim_proc_new(struct sim_proc **pp, struct loop *loop,
		 const struct sim_proc_cfg *cfg, const struct sim_proc_ops *ops,
		 void *arg, char **reasonp)
{
	struct sim_proc *proc = xcalloc(1, sizeof(*proc));
	int pair[2] = { -1, -1 }, log_fd = -1, err = 0;

	proc->loop = loop;
	proc->name = xstrdup(cfg->name);
	proc->log = xstrdup(cfg->log);
	proc->ops = ops;
	proc->arg = arg;
	proc->pidfd = -1;
	proc->is_reaped = true;

	if (access(cfg->path, X_OK) < 0 ||
	    (log_fd = open(cfg->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			   0644)) < 0 ||
	    (log_fd = above_ctl_fd(log_fd)) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    (pair[1] = above_ctl_fd(pair[1])) < 0)
		err = errno;
	else
		err = start(proc, cfg, pair[1], log_fd);
	if (err)
		goto out;

	proc->is_reaped = false;
	proc->exit_watch =
		loop_watch_fd(loop, proc->pidfd, LOOP_READ, on_exit_fd, proc);
	proc->ctl = ctl_new(loop, pair[0]);
	pair[0] = -1;
	ctl_on_line(proc->ctl, on_line, proc);
	ctl_on_end(proc->ctl, on_channel_end, proc);
	*pp = proc;

out:
	if (pair[0] >= 0)
		close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	if (log_fd >= 0)
		close(log_fd);
	if (err) {
		*reasonp = xasprintf("%s: cannot start %s: %s (is it built? "
				     "run make)",
				     cfg->name, cfg->path, strerror(err));
		sim_proc_free(proc);
	}

	return err;
}

/** Free it; what still runs is killed and reaped. Gives NULL */
struct sim_proc *sim_proc_free(struct sim_proc *proc)
{
	if (!proc)
		return NULL;

	proc->exit_watch = loop_unwatch(proc->exit_watch);
	proc->ctl = ctl_free(proc->ctl);
	if (!proc->is_reaped) {
		(void)kill(proc->pid, SIGKILL);
		(void)waitpid(proc->pid, &proc->status, 0);
	}
	if (proc->pidfd >= 0)
		close(proc->pidfd);
	json_decref(proc->addresses);
	free(proc->name);
	free(proc->log);
	free(proc->failed);
	free(proc);

	return NULL;
}

/**
 * Send a command; args is stolen. The answer comes once, see ctl.h
 *
 * @return 0, or ENOTCONN if its channel is closed: then cb is not called
 */
int sim_proc_call(struct sim_proc *proc, const char *cmd, json_t *args,
		  ctl_answer_cb *cb, void *arg)
{
	if (proc->is_closed) {
		json_decref(args);
		return ENOTCONN;
	}
	ctl_call(proc->ctl, cmd, args, cb, arg);

	return 0;
}

/** Send a signal, if it still runs */
void sim_proc_signal(const struct sim_proc *proc, int signo)
{
	if (!proc->is_reaped)
		(void)kill(proc->pid, signo);
}

const char *sim_proc_name(const struct sim_proc *proc)
{
	return proc->name;
}

int sim_proc_pid(const struct sim_proc *proc)
{
	return proc->pid;
}

bool sim_proc_is_ready(const struct sim_proc *proc)
{
	return proc->addresses != NULL;
}

/** It is gone, and all it said has been read */
bool sim_proc_is_ended(const struct sim_proc *proc)
{
	return proc->is_told;
}

/** It ended as it was told to: with exit code 0, or of SIGTERM, which ends one
 * that is not ready yet */
bool sim_proc_is_good(const struct sim_proc *proc)
{
	if (!proc->is_reaped)
		return false;
	if (WIFSIGNALED(proc->status))
		return WTERMSIG(proc->status) == SIGTERM &&
		       !sim_proc_is_ready(proc);

	return WIFEXITED(proc->status) && WEXITSTATUS(proc->status) == 0;
}

/** What it listens at, by its own word: {"sip":"127.1.1.1:5060"}; NULL
 * until it is ready */
const json_t *sim_proc_addresses(const struct sim_proc *proc)
{
	return proc->addresses;
}

/* The last line of the log that is not empty, in tail; "" if there is none */
static const char *last_line(const char *path, char tail[LOG_TAIL])
{
	FILE *f = fopen(path, "re");
	const char *line = "";
	char *save = NULL;
	size_t n;

	if (!f)
		return line;
	if (fseek(f, -(LOG_TAIL - 1), SEEK_END) < 0)
		rewind(f);
	n = fread(tail, 1, LOG_TAIL - 1, f);
	(void)fclose(f);
	tail[n] = '\0';
	for (char *l = strtok_r(tail, "\n", &save); l;
	     l = strtok_r(NULL, "\n", &save))
		line = l;

	return line;
}

/**
 * How it ended, as a sentence: "scscf ended with signal 11 (Segmentation
 * fault); its last word was "…"; its log is …". The caller frees it.
 */
char *sim_proc_why(const struct sim_proc *proc)
{
	char tail[LOG_TAIL], how[80];
	const char *line = last_line(proc->log, tail);

	if (!proc->is_reaped)
		(void)snprintf(how, sizeof(how), "still runs");
	else if (WIFSIGNALED(proc->status))
		(void)snprintf(how, sizeof(how), "was ended by signal %d (%s)",
			       WTERMSIG(proc->status),
			       strsignal(WTERMSIG(proc->status)));
	else
		(void)snprintf(how, sizeof(how), "ended with exit code %d",
			       WEXITSTATUS(proc->status));

	if (proc->failed)
		return xasprintf("%s: %s (it %s; its log is %s)", proc->name,
				 proc->failed, how, proc->log);

	return xasprintf("%s (pid %d) %s; %s%s%s; its log is %s", proc->name,
			 (int)proc->pid, how,
			 *line ? "its last line is \"" : "its log is empty",
			 line, *line ? "\"" : "", proc->log);
}
