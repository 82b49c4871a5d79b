/* Fuzzes the text files of accounts: what the BOSS opens, and the pool file
 * that it writes and the platform reads. All of a file is taken, or nothing
 * and a reason. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "boss/boss_core.h"
#include "platform/platform_units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(int err, char *reason, size_t taken)
{
	if (err && (!reason || taken))
		abort();
	free(reason);
}

static void read_as_pool(const char *path)
{
	json_t *accounts = NULL;
	char *reason = NULL;
	int err = plat_file_read(&accounts, path, &reason);

	check_refusal(err, reason, json_array_size(accounts));
	json_decref(accounts);
}

static void read_as_boss(const char *path)
{
	struct boss_list list = { 0 };
	char *reason = NULL;
	int err = boss_batch_read(&list, path, "ims.test", &reason);

	check_refusal(err, reason, list.n);
	boss_list_clear(&list);
	reason = NULL;
	err = boss_pool_read(&list, path, &reason);
	check_refusal(err, reason, list.n);
	boss_list_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[64];

	if (fd < 0)
		fd = memfd_create("accounts", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_as_pool(path);
	read_as_boss(path);

	return 0;
}
