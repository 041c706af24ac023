/*
 * shim CALL=ERRNO… -- COMMAND…: runs COMMAND where these system calls answer that errno, as an old kernel, systemd's
 * RestrictSUIDSGID= (openat2) or a container's seccomp profile would. "userns=N" refuses CLONE_NEWUSER in clone and
 * unshare with N, and hides clone3, whose flags a filter cannot see.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; unsigned number; } calls[] = {
    {"openat2", __NR_openat2}, {"close_range", __NR_close_range}, {"clone3", __NR_clone3},
    {"mount_setattr", __NR_mount_setattr}, {"open_tree", __NR_open_tree}, {"move_mount", __NR_move_mount},
    {"fsopen", __NR_fsopen}, {"fsmount", __NR_fsmount}, {"pivot_root", __NR_pivot_root}, {"mount", __NR_mount},
    {"prctl", __NR_prctl}, {"capset", __NR_capset}, {"setgroups", __NR_setgroups}, {"setresuid", __NR_setresuid},
    {"setresgid", __NR_setresgid}, {"unshare", __NR_unshare}, {"pidfd_open", __NR_pidfd_open},
    {"keyctl", __NR_keyctl}, {"prlimit64", __NR_prlimit64}, {"sethostname", __NR_sethostname},
    {"execve", __NR_execve}, {"umount2", __NR_umount2}, {"setns", __NR_setns}, {"socket", __NR_socket},
    {"statmount", 457}, {"listmount", 458},
};

static struct sock_filter code[256];
static unsigned short used;

static void add(unsigned short op, unsigned char yes, unsigned char no, unsigned k) {
    code[used++] = (struct sock_filter){op, yes, no, k};
}

static void refuse(unsigned number, unsigned error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error);
}

static void refuse_new_user(unsigned number, unsigned error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, number);
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args[0]));
    add(BPF_JMP | BPF_JSET | BPF_K, 0, 1, CLONE_NEWUSER);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error);
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
}

int main(int argc, char **argv) {
    int at = 1;
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
    for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
        char *equals = strchr(argv[at], '=');
        if (!equals) return 99;
        *equals = 0;
        /* ERRNO is a number: 0, which a name would be, is an answer that nothing went wrong. */
        unsigned error = atoi(equals + 1);
        if (error == 0) return 99;
        if (strcmp(argv[at], "userns") == 0) {
            refuse_new_user(__NR_unshare, error);
            refuse_new_user(__NR_clone, error);
            refuse(__NR_clone3, ENOSYS);
            continue;
        }
        size_t i = 0;
        while (i < sizeof calls / sizeof *calls && strcmp(calls[i].name, argv[at]) != 0) i++;
        if (i == sizeof calls / sizeof *calls) return 99;
        refuse(calls[i].number, error);
    }
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {used, code};
    /* no_new_privs only where it must be: newuidmap is setuid. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0 &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)) {
        perror("shim: seccomp");
        return 99;
    }
    if (at + 1 >= argc) return 99;
    execvp(argv[at + 1], argv + at + 1);
    perror("shim: execvp");
    return 99;
}
