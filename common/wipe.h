/** @file wipe.h  What is freed is overwritten first
 *
 * For a process that must be able to forget a secret: TLS, HTTP and JSON
 * buffers pass it on and free it, and freed memory keeps its bytes.
 */
#ifndef SIPSHARE_WIPE_H
#define SIPSHARE_WIPE_H

void wipe_freed_memory(void);

#endif
