#include "call.h"
#include "closing.h"

#include <linux/sockios.h>

/* What the maker leaves to its parent, in the memory that they share. */
static struct {
    volatile enum linux_network_step step;
    volatile int namespace, error, finished;
} making;

/* Beside its parent: no errno, and nothing of the C library that keeps anything. */
static int make(void) {
    /* Where both have one processor the parent goes first: it will sleep for RCU in umount2, and no sooner. */
    linux_call(SYS_sched_yield, 0, 0, 0, 0);
    long result = linux_call(SYS_unshare, CLONE_NEWNET, 0, 0, 0);
    if (result >= 0) {
        making.step = linux_network_socket;
        result = linux_call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0);
    }
    if (result >= 0) {
        /* netdevice(7) does not have it: the namespace that a socket is of, since Linux 4.9. A link of procfs takes longer. */
        const long socket = result;
        making.step = linux_network_ask;
        result = linux_call(SYS_ioctl, socket, SIOCGSKNS, 0, 0);
        linux_call(SYS_close, socket, 0, 0, 0);
    }
    if (result < 0) making.error = (int)-result;
    else making.namespace = (int)result;
    making.finished = 1;
    return 0;
}

int linux_begin_network(void) {
    static char stack[8192] __attribute__((aligned(16)));
    making.step = linux_network_unshare;
    making.namespace = -1;
    making.error = making.finished = 0;
    /* By a number of its own: the next that the kernel gives, 2, is the command's. */
    const pid_t number = 300;
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_FILES,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = sizeof stack,
        .set_tid = (uint64_t)(uintptr_t)&number,
        .set_tid_size = 1,
    };
    long maker = linux_clone_onto_stack(&arguments, make);
    if (maker > 0) return (int)maker;
    /* Where there is no room for a process more, or no choice of a number (Linux 5.5), the caller makes it, and is in it. */
    make();
    return 0;
}

int linux_enter_network(int maker, enum linux_network_step *step) {
    *step = linux_network_wait;
    while (maker > 0 && waitpid(maker, NULL, __WALL) < 0)
        if (errno != EINTR) return -1;
    *step = making.step;
    if (!making.finished || making.namespace < 0) {
        errno = making.finished ? making.error : ECANCELED;
        return -1;
    }
    *step = linux_network_join;
    int result = setns(making.namespace, CLONE_NEWNET);
    return closing(making.namespace, result);
}
