/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * What libev does when it cannot go on. It has a few small arrays that grow with the number of
 * watchers, and no way to say that they could not; left alone it would abort. Here a shortage that
 * passes is waited for, some tens of milliseconds; one that stays ends the program with a line in
 * the log and EX_OSERR, and the service manager starts it anew. So does a shortage of descriptors;
 * any other error of the kernel's is logged, and aborts. All loops of the process, any thread.
 */

/* Before the first loop is made. */
void loop_failure_init(void);

/* As libev wants it: frees when `size` is 0. Never NULL otherwise. */
void *loop_failure_resize(void *old, long size);
