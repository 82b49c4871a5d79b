/** @file password.h  Passwords that nobody chose */
#ifndef SIPSHARE_PASSWORD_H
#define SIPSHARE_PASSWORD_H

char *password_random(void);

#endif
