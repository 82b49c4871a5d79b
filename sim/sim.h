/** @file sim.h  sipshare: the command, and what its subcommands share */
#ifndef SIPSHARE_SIM_H
#define SIPSHARE_SIM_H

#include <stdbool.h>
#include <stdio.h>

/** A run's folder, held by a lock that ends with the process */
struct sim_folder {
	char *path;
	int lock_fd;
};

/** How what is printed is looked at */
struct sim_screen {
	int width;
	bool is_colour;
	bool is_ascii;
};

/* Subcommands: argv[0] is "sipshare run"; they give the exit code */
int sim_run(int argc, char **argv);
int sim_step(int argc, char **argv);
int sim_up(int argc, char **argv);
int sim_steps_cmd(int argc, char **argv);
int sim_view_cmd(int argc, char **argv);
int sim_doctor(int argc, char **argv);

char *sim_bin_dir(void);
char *sim_find_scenario(const char *file);
int sim_make_dirs(const char *path, char **reasonp);
int sim_folder_open(struct sim_folder *folder, const char *runs,
		    const char *name, char **reasonp);
void sim_folder_close(struct sim_folder *folder);
void sim_screen_get(struct sim_screen *screen, FILE *f, bool no_colour);
char *sim_name_of(const char *file);

#endif
