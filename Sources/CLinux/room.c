#include "linux.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* What a launch needs besides the program itself, in bytes: several times what a large spec was seen to take. */
enum { own_room = 4 << 20, stack_room = 1 << 20 };

static void hold(const char *name, const char *option, unsigned long limit, unsigned long need) {
    if (limit >= need) return;
    char text[256];
    int length = snprintf(
        text, sizeof text,
        "immure: RLIMIT_%s (`ulimit -%s`, Limit%s= of a unit) leaves the launcher %lu KiB of the %lu that it needs; "
        "what limits the command is [rlimits]\n",
        name, option, name, limit >> 10, need >> 10);
    while (length > 0 && write(2, text, (size_t)length) < 0 && errno == EINTR) continue;
    _exit(125);
}

/* Bytes of addresses and of data, proc_pid_statm(5); false where there is no procfs. */
static int taken(unsigned long *addresses, unsigned long *data) {
    char text[128], *rest = text;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    unsigned long fields[6];
    for (int i = 0; i < 6; i++) fields[i] = strtoul(rest, &rest, 10) * (unsigned long)sysconf(_SC_PAGESIZE);
    *addresses = fields[0];
    *data = fields[5];
    return 1;
}

/* Where memory is refused later, that is a crash without a word. A program that does not fit into RLIMIT_AS or RLIMIT_DATA at
   all the kernel ends in execve(2), with SIGSEGV. */
__attribute__((constructor(102))) static void look_for_room(void) {
    struct rlimit addresses, data, stack;
    if (getrlimit(RLIMIT_AS, &addresses) || getrlimit(RLIMIT_DATA, &data) || getrlimit(RLIMIT_STACK, &stack)) return;
    hold("STACK", "s", stack.rlim_cur, stack_room);
    if (addresses.rlim_cur == RLIM_INFINITY && data.rlim_cur == RLIM_INFINITY) return;
    unsigned long address_bytes, data_bytes;
    if (!taken(&address_bytes, &data_bytes)) return;
    hold("AS", "v", addresses.rlim_cur, address_bytes + own_room);
    hold("DATA", "d", data.rlim_cur, data_bytes + own_room);
}
