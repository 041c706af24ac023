/* _GNU_SOURCE as in CLinux: the system's headers must read alike in both modules. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <seccomp.h>
