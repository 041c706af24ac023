// An empty static program for the start-up section: its first and only act is the call that the filter of launch.c
// kills, so it dies in the same way as a launcher that reaches its first namespace call.
#define _GNU_SOURCE
#include <sched.h>

int main(void) { return unshare(CLONE_NEWUSER); }
