#ifdef FAST_RUNTIME

#include "linux.h"

/* Two parts of the Swift runtime do work before main that this program never uses. What is defined here is not taken out of
   the runtime's archives, and the constructors that stand beside it are not either. The symbols are hidden: a test runner,
   which links the runtime dynamically, keeps the real ones. */
#define INSTEAD __attribute__((visibility("hidden")))

/* The runtime looks for the arguments in /proc/self/maps and on the stack (stdlib/public/stubs/CommandLine.cpp); they were
   kept by the first constructor, start.c. */
INSTEAD char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
    *count = linux_argument_count();
    return linux_arguments();
}

INSTEAD void _swift_stdlib_overrideUnsafeArgvArgc(char **arguments, int count) {
    (void)arguments;
    (void)count;
    abort();
}

/* Swift's concurrency, which ArgumentParser brings along, would hand tasks to libdispatch; that counts the processors and
   prepares its queues at the start. This program has no task: a second thread would end unshare(CLONE_NEWUSER). */
INSTEAD void *_dispatch_main_q[16];
INSTEAD void dispatch_assert_queue(void *queue) { (void)queue, abort(); }
INSTEAD void dispatch_main(void) { abort(); }
INSTEAD void swift_dispatchEnqueueMain(void *job) { (void)job, abort(); }
INSTEAD void swift_dispatchEnqueueGlobal(void *job) { (void)job, abort(); }
INSTEAD void swift_dispatchEnqueueWithDeadline(void *job) { (void)job, abort(); }
INSTEAD void swift_task_enqueueOnDispatchQueue(void *job, void *queue) { (void)job, (void)queue, abort(); }

#endif
