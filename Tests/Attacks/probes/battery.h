/* The attempts, included twice: once as functions, once as the calls of them. No include guard. */

#ifndef BATTERY_TOOLS
#define BATTERY_TOOLS
static inline int writable(const char *path) { return open(path, O_WRONLY | O_CLOEXEC); }
static inline long into(const char *path, const char *text) {
    int file = writable(path);
    return file < 0 ? -1 : write(file, text, strlen(text));
}
static inline long vector_of_1(long number) {
    static char byte;
    struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
    return syscall(number, 1, &here, 1L, &there, 1L, 0L);
}
static inline long all_capabilities(void) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{~0u, ~0u, ~0u}, {0x1ff, 0x1ff, 0x1ff}};
    return syscall(SYS_capset, &head, data);
}
static inline long any_capability(void) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &head, data) != 0) return -1;
    if (data[0].effective | data[0].permitted | data[0].inheritable | data[1].effective | data[1].permitted | data[1].inheritable) return 0;
    errno = EPERM;
    return -1;
}
static inline long inject(int terminal, unsigned long request) { return terminal < 0 ? -1 : syscall(SYS_ioctl, terminal, request, "x"); }
static inline long setuid_gives_something(void) {
    /* A set-user-ID program of the host, which waits for a password meanwhile: whom does the kernel take it for? */
    int ends[2];
    if (pipe(ends) != 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        int nothing = open("/dev/null", O_WRONLY);
        dup2(ends[0], 0);
        dup2(nothing, 1);
        dup2(nothing, 2);
        execl("/usr/bin/su", "su", (char *)0);
        _exit(1);
    }
    usleep(30000);
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", child);
    FILE *file = fopen(path, "r");
    unsigned real = 1, effective = 1;
    while (file && fgets(line, sizeof line, file)) sscanf(line, "Uid: %u %u", &real, &effective);
    kill(child, SIGKILL);
    waitpid(child, 0, 0);
    errno = EPERM;
    return effective != real ? 0 : -1;
}
static inline long rewritten(const char *path) {
    /* As CVE-2019-5736: hold the file behind the magic link, then open what is held for writing. */
    int held = open(path, O_PATH | O_CLOEXEC);
    if (held < 0) return -1;
    char again[64];
    snprintf(again, sizeof again, "/proc/self/fd/%d", held);
    return writable(again);
}
/* The mount that a descriptor shows, and the directory of it. */
static inline int told_of(int place, const char *path, struct statx *found) {
    return statx(place, path, AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_INO | STATX_MNT_ID, found);
}
/* Whether the way up ends elsewhere than at the root of this process. */
static inline long up_from(const char *path) {
    int place = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0) return -1;
    for (int i = 0; i < 64; i++) {
        int above = openat(place, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (above < 0) return -1;
        close(place);
        place = above;
    }
    struct statx top, own;
    if (told_of(place, "", &top) || told_of(AT_FDCWD, "/", &own)) return 0;
    return top.stx_mnt_id != own.stx_mnt_id || top.stx_ino != own.stx_ino ? 0 : -1;
}
static inline long own_clear(const char *path, unsigned long flags) {
    struct {
        uint64_t set, clear, propagation, user;
    } attributes = {0, flags, 0, 0};
    return syscall(SYS_mount_setattr_, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof attributes);
}
static inline long shared_again(const char *path) {
    struct {
        uint64_t set, clear, propagation, user;
    } attributes = {0, 0, MS_SHARED, 0};
    return syscall(SYS_mount_setattr_, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof attributes);
}
static inline long joined(const char *path, int kind) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    return file < 0 ? -1 : setns(file, kind);
}
#endif

/* Privilege */
ATTEMPT(any_capability, any_capability())
ATTEMPT(capset_all, all_capabilities())
ATTEMPT(ambient_raise, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0))
ATTEMPT(securebits, prctl(PR_SET_SECUREBITS, 0))
ATTEMPT(no_new_privs_off, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0))
ATTEMPT(setuid_other, setuid(getuid() + 1))
ATTEMPT(setgid_other, setgid(getgid() + 1))
ATTEMPT(setfsuid_other, (setfsuid(getuid() + 1), setfsuid(-1) == (int)getuid() + 1 ? 0 : (errno = EPERM, -1)))
ATTEMPT(setgroups_one, setgroups(1, (gid_t[]){1}))
ATTEMPT(setgroups_none, setgroups(0, 0))
ATTEMPT(setuid_program, setuid_gives_something())
ATTEMPT(raise_nofile, setrlimit(RLIMIT_NOFILE, &(struct rlimit){1 << 30, 1 << 30}))
ATTEMPT(nice_up, setpriority(PRIO_PROCESS, 0, -20))
ATTEMPT(realtime, sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){50}))
ATTEMPT(oom_protected, into("/proc/self/oom_score_adj", "-1000"))

/* Pid 1 and what it holds */
ATTEMPT(ptrace_attach, ptrace(PTRACE_ATTACH, 1, 0, 0))
ATTEMPT(ptrace_seize, ptrace(PTRACE_SEIZE, 1, 0, 0))
ATTEMPT(process_vm_readv, vector_of_1(SYS_process_vm_readv))
ATTEMPT(process_vm_writev, vector_of_1(SYS_process_vm_writev))
ATTEMPT(mem_read, open("/proc/1/mem", O_RDONLY))
ATTEMPT(mem_write, writable("/proc/1/mem"))
ATTEMPT(environ_1, open("/proc/1/environ", O_RDONLY) < 0 ? -1 : read(open("/proc/1/environ", O_RDONLY), (char[8]){0}, 8) > 0 ? 0 : -1)
ATTEMPT(maps_1, open("/proc/1/maps", O_RDONLY) < 0 ? -1 : read(open("/proc/1/maps", O_RDONLY), (char[8]){0}, 8) > 0 ? 0 : -1)
ATTEMPT(exe_of_1, rewritten("/proc/1/exe"))
ATTEMPT(root_of_1, open("/proc/1/root", O_PATH | O_DIRECTORY))
ATTEMPT(cwd_of_1, open("/proc/1/cwd", O_PATH | O_DIRECTORY))
ATTEMPT(fd_0_of_1, open("/proc/1/fd/0", O_PATH))
ATTEMPT(fd_3_of_1, open("/proc/1/fd/3", O_PATH))
ATTEMPT(pidfd_getfd, syscall(SYS_pidfd_getfd_, syscall(SYS_pidfd_open, 1, 0), 4, 0))
ATTEMPT(timers_of_1, open("/proc/1/timers", O_RDONLY) < 0 ? -1 : read(open("/proc/1/timers", O_RDONLY), (char[8]){0}, 8) >= 0 ? 0 : -1)
ATTEMPT(join_user_1, joined("/proc/1/ns/user", CLONE_NEWUSER))
ATTEMPT(join_mount_1, joined("/proc/1/ns/mnt", CLONE_NEWNS))

/* The tree */
ATTEMPT(chroot, chroot("/tmp"))
ATTEMPT(pivot_root, syscall(SYS_pivot_root, "/tmp", "/tmp"))
ATTEMPT(umount_proc, umount2("/proc", MNT_DETACH))
ATTEMPT(umount_usr, umount2("/usr", MNT_DETACH))
ATTEMPT(umount_root, umount2("/", MNT_DETACH))
ATTEMPT(mount_tmpfs, mount("tmpfs", "/tmp", "tmpfs", 0, 0))
ATTEMPT(mount_proc, mount("proc", "/tmp", "proc", 0, 0))
ATTEMPT(mount_sysfs, mount("sysfs", "/tmp", "sysfs", 0, 0))
ATTEMPT(mount_cgroup, mount("cgroup", "/tmp", "cgroup", 0, "memory"))
ATTEMPT(mount_cgroup2, mount("cgroup2", "/tmp", "cgroup2", 0, 0))
ATTEMPT(mount_devpts, mount("devpts", "/tmp", "devpts", 0, 0))
ATTEMPT(mount_overlay, mount("overlay", "/tmp", "overlay", 0, "lowerdir=/usr:/etc"))
ATTEMPT(bind, mount("/usr", "/tmp", 0, MS_BIND | MS_REC, 0))
ATTEMPT(remount_root_rw, mount(0, "/", 0, MS_REMOUNT | MS_BIND, 0))
ATTEMPT(remount_usr_rw, mount(0, "/usr", 0, MS_REMOUNT | MS_BIND, 0))
ATTEMPT(remount_tmp_suid, mount(0, "/tmp", 0, MS_REMOUNT | MS_BIND, 0))
ATTEMPT(clear_read_only, own_clear("/usr", MOUNT_ATTR_RDONLY))
ATTEMPT(clear_nosuid, own_clear("/tmp", MOUNT_ATTR_NOSUID))
ATTEMPT(share_the_root, mount(0, "/", 0, MS_SHARED | MS_REC, 0))
ATTEMPT(share_the_root_by_attribute, shared_again("/"))
ATTEMPT(open_tree, syscall(SYS_open_tree, AT_FDCWD, "/usr", 1))
ATTEMPT(move_mount, syscall(SYS_move_mount, AT_FDCWD, "/usr", AT_FDCWD, "/tmp", 0))
ATTEMPT(fsopen, syscall(SYS_fsopen, "tmpfs", 0))
ATTEMPT(write_usr, open("/usr/planted", O_WRONLY | O_CREAT, 0644))
ATTEMPT(write_etc, open("/etc/planted", O_WRONLY | O_CREAT, 0644))
ATTEMPT(write_root, open("/planted", O_WRONLY | O_CREAT, 0644))
ATTEMPT(write_dev, open("/dev/planted", O_WRONLY | O_CREAT, 0644))
ATTEMPT(write_passwd, writable("/etc/passwd"))
ATTEMPT(chmod_usr, chmod("/usr/bin", 0777))
ATTEMPT(utimes_usr, utimes("/usr/bin", 0))
ATTEMPT(xattr_usr, syscall(SYS_setxattr, "/usr/bin", "user.x", "x", 1L, 0))
ATTEMPT(link_usr, link("/usr/bin/env", "/tmp/env"))
ATTEMPT(rename_usr, rename("/usr/bin/env", "/tmp/env"))
ATTEMPT(through_root_link, up_from("/proc/self/root"))
ATTEMPT(through_cwd_link, up_from("/proc/self/cwd"))
ATTEMPT(through_tmp, up_from("/tmp"))
ATTEMPT(through_usr, up_from("/usr/bin"))
ATTEMPT(node_block, mknod("/tmp/block", S_IFBLK | 0666, makedev(8, 0)))
ATTEMPT(node_char, mknod("/tmp/char", S_IFCHR | 0666, makedev(1, 1)))
ATTEMPT(node_null, mknod("/tmp/null", S_IFCHR | 0666, makedev(1, 3)))
ATTEMPT(dev_mem, open("/dev/mem", O_RDONLY))
ATTEMPT(dev_kmsg, open("/dev/kmsg", O_RDONLY))
ATTEMPT(file_handle, syscall(SYS_open_by_handle_at, open("/etc", O_RDONLY), "\x08\0\0\0\x01\0\0\0\x02\0\0\0\0\0\0\0", O_RDONLY))
ATTEMPT(quota, syscall(SYS_quotactl, 0x800001 << 8, "/", 0, 0))
ATTEMPT(accounting, acct("/tmp"))
ATTEMPT(fanotify_mounts, fanotify_mark(fanotify_init(FAN_CLASS_CONTENT, 0), FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, "/usr"))
ATTEMPT(swapon, swapon("/etc/passwd", 0))
ATTEMPT(swapoff, swapoff("/none"))

/* Namespaces */
ATTEMPT(unshare_user, unshare(CLONE_NEWUSER))
ATTEMPT(unshare_mount, unshare(CLONE_NEWNS))
ATTEMPT(unshare_pid, unshare(CLONE_NEWPID))
ATTEMPT(unshare_net, unshare(CLONE_NEWNET))
ATTEMPT(unshare_ipc, unshare(CLONE_NEWIPC))
ATTEMPT(unshare_uts, unshare(CLONE_NEWUTS))
ATTEMPT(unshare_cgroup, unshare(CLONE_NEWCGROUP))
ATTEMPT(unshare_time, unshare(0x80))
ATTEMPT(more_user_namespaces, into("/proc/sys/user/max_user_namespaces", "1000"))
ATTEMPT(uid_map_again, into("/proc/self/uid_map", "0 0 1"))
ATTEMPT(setgroups_allowed, into("/proc/self/setgroups", "allow"))

/* The host's knobs */
ATTEMPT(core_pattern, writable("/proc/sys/kernel/core_pattern"))
ATTEMPT(modprobe, writable("/proc/sys/kernel/modprobe"))
ATTEMPT(sysrq_trigger, writable("/proc/sysrq-trigger"))
ATTEMPT(sysrq, writable("/proc/sys/kernel/sysrq"))
ATTEMPT(panic_on_oom, writable("/proc/sys/vm/panic_on_oom"))
ATTEMPT(drop_caches, writable("/proc/sys/vm/drop_caches"))
ATTEMPT(binfmt, writable("/proc/sys/fs/binfmt_misc/register"))
ATTEMPT(protected_links, writable("/proc/sys/fs/protected_hardlinks"))
ATTEMPT(kcore, open("/proc/kcore", O_RDONLY))
ATTEMPT(kmsg, open("/proc/kmsg", O_RDONLY))
ATTEMPT(uevent_helper, writable("/sys/kernel/uevent_helper"))
ATTEMPT(release_agent, writable("/sys/fs/cgroup/release_agent"))
ATTEMPT(syslog_clear, syscall(SYS_syslog, 5, 0, 0))
ATTEMPT(host_name, sethostname("x", 1))
ATTEMPT(domain_name, setdomainname("x", 1))
ATTEMPT(set_time, settimeofday(&(struct timeval){0}, 0))
ATTEMPT(adjust_time, syscall(SYS_clock_settime, 0, &(struct timespec){0}))
ATTEMPT(reboot, syscall(SYS_reboot, 0xfee1dead, 672274793, 0x01234567, 0))
ATTEMPT(kexec, syscall(SYS_kexec_load, 0, 0, 0, 0))
ATTEMPT(kexec_file, syscall(SYS_kexec_file_load, -1, -1, 0, 0, 0))
ATTEMPT(init_module, syscall(SYS_init_module, "", 0, ""))
ATTEMPT(finit_module, syscall(SYS_finit_module, -1, "", 0))
ATTEMPT(delete_module, syscall(SYS_delete_module, "none", O_NONBLOCK))
ATTEMPT(io_ports, iopl(3))
ATTEMPT(io_permissions, ioperm(0x80, 1, 1))
ATTEMPT(hang_up, vhangup())
ATTEMPT(raw_socket, socket(AF_INET, SOCK_RAW, 255))
ATTEMPT(packet_socket, socket(AF_PACKET, SOCK_RAW, 0))
ATTEMPT(bind_port_1, bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&(struct { uint16_t f, p; char r[12]; }){AF_INET, 0x0100, {0}}, 16))

/* The caller's terminal */
ATTEMPT(sti_0, inject(0, TIOCSTI))
ATTEMPT(sti_tty, inject(open("/dev/tty", O_RDWR), TIOCSTI))
ATTEMPT(sti_high, inject(0, TIOCSTI | 1ul << 32))
ATTEMPT(linux_console, inject(0, TIOCLINUX))

/* Other doors to the same calls: i386 by int 0x80 (mount 21, unshare 310, chroot 61, ptrace 26, setuid32 213), and x32. */
ATTEMPT(int80_mount, int80(21, 0, 0, 0))
ATTEMPT(int80_unshare, int80(310, CLONE_NEWUSER, 0, 0))
ATTEMPT(int80_ptrace, int80(26, PTRACE_ATTACH, 1, 0))
ATTEMPT(int80_setuid, int80(213, getuid() + 1, 0, 0))
ATTEMPT(x32_unshare, syscall(SYS_unshare | X32, CLONE_NEWUSER))
ATTEMPT(x32_chroot, syscall(SYS_chroot | X32, "/tmp"))
