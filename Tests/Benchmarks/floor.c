// The floor: immure's default jail, made in C with the fewest system calls that give the same result, so that what
// the kernel itself charges for such a jail is known. A reaper is pid 1 and the command is its child. Not a product:
// no options, no signal forwarding, every failure fatal with status 125.
//
//   gcc -O2 -static -o floor floor.c && ./floor /usr/bin/true
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// linux/mount.h and sys/mount.h cannot be included together on glibc before 2.37.
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);
#define MNT_DETACH 2
#define NOBODY 65534

static void check(long result, const char *step) {
    if (result >= 0) return;
    dprintf(2, "floor: %s: %s\n", step, strerror(errno));
    _exit(125);
}

static void write_file(const char *path, const char *text) {
    // Never closed: both callers either exit soon or call close_range.
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    check(fd, path);
    check(write(fd, text, strlen(text)), path);
}

static void write_maps(const char *process, unsigned uid, unsigned gid, int deny_setgroups) {
    char path[64], line[64];
    if (deny_setgroups) {
        // user_namespaces(7): without privilege gid_map is only writable once setgroups is denied.
        snprintf(path, sizeof path, "/proc/%s/setgroups", process);
        write_file(path, "deny");
    }
    snprintf(path, sizeof path, "/proc/%s/uid_map", process);
    snprintf(line, sizeof line, "%u %u 1", uid, uid);
    write_file(path, line);
    snprintf(path, sizeof path, "/proc/%s/gid_map", process);
    snprintf(line, sizeof line, "%u %u 1", gid, gid);
    write_file(path, line);
}

static void take_identity(uid_t uid, gid_t gid, int go) {
    char byte;
    if (uid == 0) {
        // Only a process with CAP_SETUID outside may map an id that is not its own, so the parent does; until then
        // our ids are unmapped and a tmpfs refuses to store them (EOVERFLOW).
        if (read(go, &byte, 1) != 1) _exit(125);
        check(setgroups(0, NULL), "setgroups");
        // No PR_SET_KEEPCAPS: uid 0 is not mapped here, so leaving it is not the change that clears capabilities.
        check(setresgid(NOBODY, NOBODY, NOBODY), "setresgid");
        check(setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
    } else {
        write_maps("self", uid, gid, 1);
    }
    // After the change of ids, which clears it (prctl(2)).
    check(prctl(PR_SET_PDEATHSIG, SIGKILL), "pdeathsig");
    // The parent may have died before that: its end of the pipe is then closed. getppid(2) cannot tell, it is 0 here.
    check(fcntl(go, F_SETFL, O_NONBLOCK), "fcntl");
    if (read(go, &byte, 1) == 0) _exit(125);
}

static void bind_read_only(const char *source, const char *target) {
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    check(mkdir(target, 0755), target);
    check(mount(source, target, NULL, MS_BIND | MS_REC, NULL), source);
    // MS_REMOUNT is not recursive; mount_setattr(2) covers every submount in one call and only ever adds flags.
    check(syscall(SYS_mount_setattr, AT_FDCWD, target, AT_RECURSIVE, &attr, sizeof attr), "mount_setattr");
}

static void make_dev(void) {
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    char source[32], target[32];
    check(mkdir("dev", 0755), "mkdir dev");
    check(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755"), "tmpfs /dev");
    for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        snprintf(source, sizeof source, "/dev/%s", nodes[i]);
        snprintf(target, sizeof target, "dev/%s", nodes[i]);
        // A user namespace cannot make device nodes, so the host's are bound; mknod of a plain file is one call
        // where open and close are two.
        check(mknod(target, S_IFREG | 0666, 0), target);
        check(mount(source, target, NULL, MS_BIND, NULL), source);
    }
    check(symlink("/proc/self/fd", "dev/fd"), "dev/fd");
    check(symlink("/proc/self/fd/0", "dev/stdin"), "dev/stdin");
    check(symlink("/proc/self/fd/1", "dev/stdout"), "dev/stdout");
    check(symlink("/proc/self/fd/2", "dev/stderr"), "dev/stderr");
    check(symlink("pts/ptmx", "dev/ptmx"), "dev/ptmx");
    check(mkdir("dev/pts", 0755), "dev/pts");
    check(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620"), "devpts");
    check(mkdir("dev/shm", 01777), "dev/shm");
    check(mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "tmpfs /dev/shm");
}

static void make_root(void) {
    static const char *const merged[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};
    char path[16], to[16];
    check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private propagation");
    check(mount("tmpfs", "/", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"), "tmpfs /");
    // Our root is now below that tmpfs and "/" still names the host's tree; ".." of a root is looked up through the
    // mounts on top of it, so this steps onto the new one. From here relative paths are the jail's, absolute the host's.
    check(chdir("/.."), "chdir");
    bind_read_only("/usr", "usr");
    bind_read_only("/etc", "etc");
    for (unsigned i = 0; i < sizeof merged / sizeof *merged; i++) {
        snprintf(path, sizeof path, "/%s", merged[i]);
        ssize_t length = readlink(path, to, sizeof to - 1);
        if (length < 0) continue;
        to[length] = 0;
        check(symlink(to, path + 1), path);
    }
    check(mkdir("proc", 0755), "mkdir proc");
    // While the host's /proc is still in this mount namespace: the kernel gives a user namespace a proc only where
    // a fully visible one is there already.
    check(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
    make_dev();
    check(mkdir("tmp", 01777), "mkdir tmp");
    check(mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=64M,mode=1777"), "tmpfs /tmp");
    write_file("proc/sys/user/max_user_namespaces", "0");
    // pivot_root(2): with "." twice the old root is stacked on the new one and needs no directory of its own.
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount the host's tree");
    check(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL), "read-only root");
}

static void loopback_up(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check(fd, "socket");
    check(ioctl(fd, SIOCSIFFLAGS, &request), "loopback");
}

static void drop_privilege(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    // The first number that the kernel does not know ends the loop: one call less than reading cap_last_cap.
    int capability = 0;
    while (prctl(PR_CAPBSET_DROP, capability) == 0) capability++;
    if (errno != EINVAL) check(-1, "bounding set");
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    // The reaper must not be traced by the command, which has the same uid; execve makes the command dumpable again.
    check(prctl(PR_SET_DUMPABLE, 0), "dumpable");
    check(syscall(SYS_capset, &header, none), "capset");
}

static int reap_until(pid_t command) {
    int status;
    for (;;) {
        pid_t pid = wait(&status);
        if (pid == command) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (pid < 0 && errno != EINTR) return 125;
    }
}

static int run_jail(uid_t uid, gid_t gid, int go, char **argv) {
    char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "USER=nobody",
                           "LOGNAME=nobody", "SHELL=/bin/sh", "TERM=dumb", NULL};
    sigset_t none;
    take_identity(uid, gid, go);
    umask(0);  // the modes above are meant as written
    make_root();
    umask(022);
    loopback_up();
    check(sethostname("jail", 4), "sethostname");
    check(setsid(), "setsid");
    check(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), "keyring");
    drop_privilege();
    check(close_range(3, ~0U, 0), "close_range");
    sigemptyset(&none);
    check(sigprocmask(SIG_SETMASK, &none, NULL), "sigprocmask");
    // vfork copies no page tables, and the child does nothing but execve.
    pid_t command = vfork();
    check(command, "vfork");
    if (command == 0) {
        execve(argv[0], argv, environment);
        _exit(errno == ENOENT ? 127 : 126);
    }
    return reap_until(command);
}

int main(int argc, char **argv) {
    struct clone_args arguments = {
        // CLEAR_SIGHAND resets every disposition at once, in place of 62 calls of sigaction.
        .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                 CLONE_NEWCGROUP | CLONE_CLEAR_SIGHAND,
        .exit_signal = SIGCHLD,
    };
    // Asked before the clone: inside, before the maps are written, both are the overflow id.
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int go[2];
    if (argc < 2) {
        dprintf(2, "usage: floor COMMAND [ARG...]\n");
        return 125;
    }
    check(pipe2(go, O_CLOEXEC), "pipe2");
    pid_t child = syscall(SYS_clone3, &arguments, sizeof arguments);
    check(child, "clone3");
    if (child == 0) {
        // Or our own copy would keep the pipe from ending with the parent.
        close(go[1]);
        _exit(run_jail(uid, gid, go[0], argv + 1));
    }
    if (uid == 0) {
        char process[16];
        snprintf(process, sizeof process, "%d", child);
        write_maps(process, NOBODY, NOBODY, 0);
        check(write(go[1], "", 1), "write");
    }
    int status;
    check(waitpid(child, &status, 0), "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
