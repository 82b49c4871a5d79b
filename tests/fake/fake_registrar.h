/** @file fake_registrar.h  A registrar that answers REGISTER as the test says
 *
 * Challenges with digest where it was given a password, records what came,
 * and then accepts, refuses, keeps silent, or answers late.
 */
#ifndef SIPSHARE_FAKE_REGISTRAR_H
#define SIPSHARE_FAKE_REGISTRAR_H

#include <stdbool.h>

struct fake_registrar;
struct loop;

/** What came with the last REGISTER that was not challenged */
struct fake_register {
	char to[128], contact[64], expires[16], username[128];
	bool is_authenticated;
};

enum { FAKE_SILENT = 0 }; /**< as a status: keep the request */

struct fake_registrar *fake_registrar_new(struct loop *loop);
struct fake_registrar *fake_registrar_free(struct fake_registrar *r);
const char *fake_registrar_uri(const struct fake_registrar *r);
void fake_registrar_set_status(struct fake_registrar *r, int status);
void fake_registrar_set_strict(struct fake_registrar *r);
void fake_registrar_set_password(struct fake_registrar *r, const char *pw);
int fake_registrar_count(const struct fake_registrar *r);
const struct fake_register *fake_registrar_last(const struct fake_registrar *r);
int fake_registrar_answer_kept(struct fake_registrar *r, int status);

#endif
