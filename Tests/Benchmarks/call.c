// What one system call costs, in picoseconds: the least of several rounds, written to standard output.
//   call [read] [filter]: getppid, or a page of a file that is in memory; with a filter of one instruction, the least there is
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int filter(void) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int count, char **words) {
    enum { ROUNDS = 40, CALLS = 20000 };
    static char page[4096];
    int file = -1;
    for (int i = 1; i < count; i++) {
        if (!strcmp(words[i], "read") && (file = open("/proc/self/exe", O_RDONLY)) < 0) return 1;
        if (!strcmp(words[i], "filter") && filter()) return 1;
    }
    long long least = 0;
    for (int round = 0; round < ROUNDS; round++) {
        long long start = now();
        if (file < 0)
            for (int i = 0; i < CALLS; i++) syscall(SYS_getppid);
        else
            for (int i = 0; i < CALLS; i++) syscall(SYS_pread64, file, page, sizeof page, 0);
        long long taken = now() - start;
        if (!least || taken < least) least = taken;
    }
    printf("%lld\n", least * 1000 / CALLS);
    return 0;
}
