/* The system's own headers with _GNU_SOURCE, and one line for each thing that Swift cannot import:
   variadic functions, macros with arguments, and system calls without a glibc wrapper. */
#ifndef IMMURE_LINUX_H
#define IMMURE_LINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
/* Before what Linux has of the same. */
#include <netinet/in.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static inline int linux_errno(void) { return errno; }
static inline void linux_clear_errno(void) { errno = 0; }

/* As poll(2), only for what can be read, and by select(2): see select in Kernel/Poll.swift. In a set of any size, as the
   caller's descriptors may be above FD_SETSIZE. */
int linux_select(struct pollfd *watches, int count, int milliseconds);

/* A page of words that a fork shares; NULL with errno. Each access is atomic; waiting ends when somebody wakes, or at a signal. */
uint32_t *linux_shared_page(void);
uint32_t linux_load(uint32_t *word);
void linux_store(uint32_t *word, uint32_t value);
int linux_exchange(uint32_t *word, uint32_t expected, uint32_t wanted);
void linux_wait_word(uint32_t *word, uint32_t value);
void linux_wake_word(uint32_t *word);

/* Runs `body`, which must end its process, in the caller's memory and descriptors, while the caller waits and can still be
   told to end: where one of the blocked signals `ending` (bit n - 1 for signal n; `signals`, or -1, is a signalfd that has
   them) waits, or the limit in milliseconds is over (negative: none), the body is killed if it does not end within 50 ms.
   Returns that signal, 0, or -1 with errno: ETIMEDOUT, or that of clone(2). */
int linux_do_beside(int (*body)(void *), void *context, int signals, uint64_t ending, long limit);
/* Makes a call in a child that then ends, in new `namespaces` where it may make them. Returns the errno of the call, 0, -1 where a
   signal ended the child, as a filter does, or -2 where there was none. */
int linux_try_call(long number, const long arguments[6], unsigned long namespaces);
/* As write(2) of all of it, by a process of its own that is killed when the limit in milliseconds is over: ETIMEDOUT. A
   descriptor that was so once is tried again only when poll(2) finds it writable. */
ssize_t linux_write_within(int descriptor, const void *bytes, size_t length, long limit);

/* What the program was started with, kept before any other code runs; see start.c. */
int linux_argument_count(void);
char **linux_arguments(void);
pid_t linux_start_parent(void);
void linux_hide_start(void);
void linux_hide_values(const char *option);
char **linux_environment(void);

/* Variadic in C. */
static inline int linux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static inline int linux_openat(int at, const char *path, int flags, mode_t mode) { return openat(at, path, flags, mode); }
static inline int linux_fcntl(int fd, int command, long argument) { return fcntl(fd, command, argument); }
static inline int linux_ioctl(int fd, unsigned long request, void *argument) { return ioctl(fd, request, argument); }
static inline int linux_ioctl_value(int fd, unsigned long request, long argument) { return ioctl(fd, request, argument); }
static inline int linux_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return prctl(option, a, b, c, d);
}

/* No glibc wrapper in Debian 12. */
static inline long linux_clone3(uint64_t flags, int *pidfd, int exit_signal, int cgroup) {
    volatile int thread = 0;
    struct clone_args arguments = {
        .flags = flags | CLONE_CHILD_SETTID | (pidfd ? CLONE_PIDFD : 0) | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .child_tid = (uint64_t)(uintptr_t)&thread,
        .exit_signal = (uint64_t)exit_signal,
        .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
    };
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    /* The kernel writes the child's id only into the child's memory: without it nobody has been born, and whoever goes on
       as the child would do to the caller's namespaces what is meant for the jail's. */
    if (child == 0 && thread == 0) {
        errno = ENOSYS;
        return -1;
    }
    return child;
}
static inline int linux_openat2(int at, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, at, path, &how, sizeof how);
}
static inline int linux_pivot_root(const char *new_root, const char *put_old) {
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}
static inline int linux_rename_exchange(int from, const char *one, int to, const char *other) {
    enum { rename_exchange = 2 };
    return (int)syscall(SYS_renameat2, from, one, to, other, rename_exchange);
}
static inline int linux_rename_over_nothing(int from, const char *one, int to, const char *other) {
    enum { rename_noreplace = 1 };
    return (int)syscall(SYS_renameat2, from, one, to, other, rename_noreplace);
}
static inline long linux_keyctl(int command, unsigned long a) { return syscall(SYS_keyctl, command, a, 0, 0, 0); }
static inline int linux_close_range(unsigned first, unsigned last, unsigned flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}
static inline long linux_getcwd(void *buffer, size_t size) { return syscall(SYS_getcwd, buffer, size); }
/* statmount(2) and listmount(2) of Linux 6.8, which Debian 12 has no header for. */
struct linux_mount {
    uint64_t identity, parent, attributes, propagation, magic;
};
/* The mounts that the caller can reach from its root, in the order of their identities, those after `after`. */
static inline long linux_listmount(uint64_t below, uint64_t after, uint64_t *identities, size_t count) {
    struct {
        uint32_t size, spare;
        uint64_t identity, parameter;
    } request = {.size = sizeof request, .identity = below, .parameter = after};
    return syscall(458, &request, identities, count, 0);
}
/* What is in `mount` is the kernel's answer for that mount, or the result is not 0. */
static inline int linux_statmount(uint64_t identity, struct linux_mount *mount) {
    enum { of_file_system = 1, basic = 2 };
    struct {
        uint32_t size, spare;
        uint64_t identity, parameter;
    } request = {.size = sizeof request, .identity = identity, .parameter = of_file_system | basic};
    struct {
        uint32_t size, options;
        uint64_t mask;
        uint32_t major, minor;
        uint64_t magic;
        uint32_t flags, type;
        uint64_t identity, parent;
        uint32_t old_identity, old_parent;
        uint64_t attributes, propagation, peer_group, master, propagate_from;
        uint32_t root, point;
        uint64_t spare[50];
    } answer;
    answer.mask = 0;
    answer.identity = 0;
    if (syscall(457, &request, &answer, sizeof answer, 0) < 0) return -1;
    if (!(answer.mask & basic) || !(answer.mask & of_file_system) || answer.identity != identity) {
        errno = ENODATA;
        return -1;
    }
    *mount = (struct linux_mount){identity, answer.parent, answer.attributes, answer.propagation, answer.magic};
    return 0;
}
/* The options of a mount's file system, as mountinfo has them (ENODATA before Linux 6.11), or the name of its mount point. */
enum { linux_mount_options = 0x80, linux_mount_point = 0x10 };
/* One of those, into `text`; its length, or -1. */
static inline long linux_mount_text(uint64_t identity, uint64_t wanted, char *text, size_t room) {
    enum { fixed = 512 };
    struct {
        uint32_t size, spare;
        uint64_t identity, parameter;
    } request = {.size = sizeof request, .identity = identity, .parameter = wanted};
    struct {
        uint32_t size, options;
        uint64_t mask;
        uint64_t others[11];
        uint32_t root, point;
        char rest[fixed - 112 + 4096];
    } answer;
    answer.mask = 0;
    if (syscall(457, &request, &answer, sizeof answer, 0) < 0) return -1;
    const size_t start = (size_t)(wanted == linux_mount_point ? answer.point : answer.options) + fixed - 112;
    const size_t length = start < sizeof answer.rest ? strnlen(answer.rest + start, sizeof answer.rest - start) : 0;
    if (!(answer.mask & wanted) || !length || length > room || start + length == sizeof answer.rest) {
        errno = ENODATA;
        return -1;
    }
    memcpy(text, answer.rest + start, length);
    return (long)length;
}
/* The handle of an entry, which is not followed, that its file system never gives to another file; its length, at most 128
   bytes. */
static inline int linux_file_handle(int directory, const char *name, int *kind, unsigned char *bytes) {
    struct {
        struct file_handle head;
        unsigned char room[128];
    } handle;
    int mount;
    handle.head.handle_bytes = sizeof handle.room;
    if (syscall(SYS_name_to_handle_at, directory, name, &handle.head, &mount, *name ? 0 : AT_EMPTY_PATH) < 0) return -1;
    *kind = handle.head.handle_type;
    memcpy(bytes, handle.head.f_handle, handle.head.handle_bytes);
    return (int)handle.head.handle_bytes;
}
/* The same of an entry, which is not followed, or with no name of an open file; 1 where the kernel does not say. */
static inline int linux_mount_of_entry(int at, const char *name, uint64_t *identity) {
    struct statx answer;
    answer.stx_mask = 0;
    if (statx(at, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID, &answer) < 0) return -1;
    *identity = answer.stx_mnt_id;
    return !(answer.stx_mask & STATX_MNT_ID);
}
/* When an open file was made, which nobody can set; 1 where its file system does not say. */
static inline int linux_birth(int file, struct timespec *birth) {
    struct statx answer;
    answer.stx_mask = 0;
    if (statx(file, "", AT_EMPTY_PATH, STATX_BTIME, &answer) < 0) return -1;
    birth->tv_sec = answer.stx_btime.tv_sec;
    birth->tv_nsec = answer.stx_btime.tv_nsec;
    return !(answer.stx_mask & STATX_BTIME);
}
/* The identity of the mount that a path is on: the one that statmount knows (STATX_MNT_ID_UNIQUE, never used twice), or
   the one of mountinfo. The server of a file system has no part in it, and is not asked. `struct statx` and `statx` share a
   name. */
static inline int linux_mount_identity(int at, const char *path, int unique, uint64_t *identity) {
    struct statx answer;
    const unsigned mask = unique ? 0x4000u : STATX_MNT_ID;
    answer.stx_mask = 0;
    if (statx(at, path, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, &answer) < 0) return -1;
    if (!(answer.stx_mask & mask)) {
        errno = ENOSYS;
        return -1;
    }
    *identity = answer.stx_mnt_id;
    return 0;
}
/* glibc fills the rest of the set with zeroes and hides how much the kernel has written. */
static inline long linux_getaffinity(size_t size, void *mask) { return syscall(SYS_sched_getaffinity, 0, size, mask); }
/* landlock(7). Debian 12's header ends at version 3 of the interface: the structures stand here as version 6 has them; a
   kernel that knows less takes them where the rest is zero. */
static inline long linux_landlock_abi(void) {
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}
static inline int linux_landlock_create(uint64_t files, uint64_t network, uint64_t scopes) {
    struct {
        uint64_t handled_access_fs, handled_access_net, scoped;
    } handled = {files, network, scopes};
    return (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
}
static inline int linux_landlock_allow_path(int ruleset, int path, uint64_t access) {
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = path};
    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}
static inline int linux_landlock_allow_port(int ruleset, uint64_t port, uint64_t access) {
    enum { rule_net_port = 2 };
    struct {
        uint64_t allowed_access, port;
    } rule = {access, port};
    return (int)syscall(SYS_landlock_add_rule, ruleset, rule_net_port, &rule, 0);
}
static inline int linux_landlock_restrict(int ruleset) {
    return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
static inline int linux_seccomp_filter(const struct sock_filter *program, unsigned short length) {
    struct sock_fprog filter = {.len = length, .filter = (struct sock_filter *)program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
}
static inline int linux_prctl_filter(const struct sock_filter *program, unsigned short length) {
    struct sock_fprog filter = {.len = length, .filter = (struct sock_filter *)program};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

/* Whether the kernel has a call: every argument is one that it refuses before doing anything. */
static inline int linux_is_present(long number) {
    return syscall(number, -1L, -1L, 0L, ~0L, 0L) >= 0 || errno != ENOSYS;
}
/* vfork(2) for a body that needs a stack of its own: the caller, whose memory the child shares, stands still until the
   child has executed or ended. Returns the child, or -1. */
int linux_vfork(int (*body)(void *), void *context);

/* The same, where the child installs a filter with a listener (seccomp_unotify(2)) and puts its number into the slot: -1
   until then, -2 where there is none. The caller sends it over the channel, after `kind` and the child's id. */
int linux_vfork_listening(int (*body)(void *), void *context, volatile int *slot, int channel, unsigned char kind);

/* A call that waits for an answer, seccomp_unotify(2). */
struct linux_question {
    uint64_t id;
    int32_t thread, number;
    uint32_t architecture;
    uint64_t arguments[6];
};
int linux_seccomp_listen(const struct sock_filter *program, unsigned short length);
void linux_seccomp_hasten(int listener);
int linux_seccomp_receive(int listener, struct linux_question *question);
/* 0 lets the call be made, anything else is the errno that it fails with. */
int linux_seccomp_answer(int listener, uint64_t id, int error);
int linux_seccomp_is_pending(int listener, uint64_t id);
/* Gives who waits a descriptor of the caller's, under that number. */
int linux_seccomp_give(int listener, uint64_t id, int descriptor, int number);
/* What stands in a thread's memory: the number of bytes that could be read, or −1. */
long linux_read_memory(int thread, uint64_t address, void *buffer, size_t count);
/* The length of the text there; −1 where it has no end within `count` bytes, with ENAMETOOLONG. */
long linux_read_text(int thread, uint64_t address, char *buffer, size_t count);

/* Macros that Swift cannot see. */
static const unsigned long linux_NS_GET_USERNS = NS_GET_USERNS;
static const unsigned long linux_TIOCGPTPEER = TIOCGPTPEER;
static const unsigned long linux_TIOCSPTLCK = TIOCSPTLCK;
static const unsigned long linux_TIOCGWINSZ = TIOCGWINSZ;
static const unsigned long linux_TIOCGDEV = TIOCGDEV;
static const unsigned long linux_FIONREAD = FIONREAD;
static const unsigned long linux_TIOCSWINSZ = TIOCSWINSZ;
static const unsigned long linux_TIOCSCTTY = TIOCSCTTY;

/* SIG_DFL for any signal. Not through glibc, which keeps 32 and 33 for itself and answers EINVAL: a caller may have left
   those ignored too. All zeroes is the kernel's own structure for it, on every architecture. */
static inline int linux_default_action(int signal_number) {
    static const unsigned long action[8];
    return (int)syscall(SYS_rt_sigaction, signal_number, action, NULL, 8);
}

/* One message with at most one descriptor: unix(7), SCM_RIGHTS. */
ssize_t linux_send_message(int socket, const void *bytes, size_t length, int descriptor);
ssize_t linux_receive_message(int socket, void *bytes, size_t length, int *descriptor);

/* fcntl(2), locks of open file descriptions, on the whole file; the second returns whether another has one for reading. */
int linux_lock_for_reading(int descriptor);
int linux_is_locked_for_reading(int descriptor);

/* unix(7): connects a socket to a path; ENAMETOOLONG where that is too long for one. */
int linux_connect(int socket, const char *path);
/* Messages with descriptors, at most SCM_MAX_FD of them: `*count` is the room in `descriptors`, then how many came.
   `*sender` is the sender's process id in the receiver's pid namespace, 0 for one that has none there: the socket must
   have SO_PASSCRED, or it stays -1. What was cut off is EMSGSIZE, and its descriptors are closed. */
ssize_t linux_receive_notice(
    int socket, void *bytes, size_t length, int flags, int *descriptors, int *count, pid_t *sender);
/* 1 where the child has ended, or is none any more; it can still be waited for. */
int linux_has_ended(pid_t child);
ssize_t linux_send_notice(int socket, const void *bytes, size_t length, const int *descriptors, int count);

/* Project quotas, quotactl_fd(2) and FS_IOC_FSSETXATTR of ioctl_xfs_fsgetxattr(2): of the file system that a file is on. */
struct linux_project {
    /* 0 for no limit. */
    uint64_t kibibytes, inodes;
    uint64_t used_bytes, used_inodes;
};
int linux_project_state(int file, int *counted, int *enforced);
int linux_project_get(int file, uint32_t project, struct linux_project *found);
int linux_project_set(int file, uint32_t project, uint64_t kibibytes, uint64_t inodes);
/* The project of a file, and its FS_XFLAG_ bits. */
int linux_project_of(int file, uint32_t *project, uint32_t *flags);
int linux_project_join(int file, uint32_t project, int inherits);

/* unix(7): the address of a path, or of an abstract name after `@`; returns -1 with ENAMETOOLONG. */
int linux_bind_path(int socket, const char *path);
int linux_connect_path(int socket, const char *path);

/* netdevice(7): sets IFF_UP on the interface of that name in the caller's network namespace; then its flags, and the name
   of another one that has an address, empty where there is none. */
int linux_interface_up(const char *name, int *flags, char other[IFNAMSIZ]);
/* A network namespace made by a process of its own beside the caller, with whom that shares memory and descriptors; there is
   one at a time. Returns its id; 0 where the caller has made it itself, in place. */
int linux_begin_network(void);
/* Where a network namespace is in the making. */
enum linux_network_step { linux_network_unshare, linux_network_socket, linux_network_ask, linux_network_wait, linux_network_join };
/* Waits until it is made, and moves the caller into it; -1 where the step has failed. */
int linux_enter_network(int maker, enum linux_network_step *step);
/* A default route of the main table, with the address of its gateway, or one by which the host takes addresses of 4 or 16 bytes for its
   own: those that begin with so many bits. */
struct linux_route { int length, prefix, is_own, has_gateway; unsigned char address[16]; };
/* rtnetlink(7): these routes of the caller's network namespace, without those of loopback and of the link; how many there are, of which
   `routes` has at most the first `room`. */
int linux_routes(struct linux_route *routes, int room);
/* A socket that can be read when a route of the caller's network namespace has changed; and taking all that it has, 1 where a way to the
   host itself may have come. */
int linux_watch_routes(void);
int linux_hear_routes(int channel);
/* Waits until there is one of each protocol that is asked for. */
int linux_await_routes(int four, int six);
/* What the kernel says to connect to that address and port: an errno, or 0; ETIMEDOUT where nothing is said in time. */
int linux_refusal_of_address(const unsigned char *address, int length, uint16_t port, int milliseconds);
/* An address of 4 or 16 bytes as a socket has it; how long that is. */
socklen_t linux_fill_address(struct sockaddr_storage *to, const unsigned char *address, int length, uint16_t port);
/* A socket of that type bound to an address of the caller's network namespace; one of SOCK_STREAM listens. It waits for nothing. */
int linux_serve_names(int type, const struct sockaddr_in *address);
/* netlink(7), NETLINK_NETFILTER: where elements of the caller's network namespace are added. */
int linux_open_rules(void);
/* An element of a set of addresses, and how long it stays; `is_old` where it is in the set, and is put in anew. */
struct linux_element { unsigned char address[16]; int length, is_old; uint64_t milliseconds; };
enum { linux_most_elements = 512 };
/* Adds elements to a set of the table `inet immure`, all of them or none. An old one that has left meanwhile is a new one, and marked so. */
int linux_add_elements(int rules, const char *set, struct linux_element *elements, int count);
/* A socket of that type which takes from, and sends to, that address only. It waits for nothing. */
int linux_open_towards(int type, const unsigned char *address, int length, uint16_t port);
/* recvfrom(2) with the length that the datagram had, and sendto(2), without waiting. */
ssize_t linux_receive_from(int socket, void *bytes, size_t length, struct sockaddr_in *sender);
ssize_t linux_send_to(int socket, const void *bytes, size_t length, const struct sockaddr_in *receiver);
ssize_t linux_receive_now(int socket, void *bytes, size_t length);
int linux_accept_now(int server);
/* The datagram of IPv4 or IPv6 that waits at a socket of another process, pidfd_getfd(2), which stays there, and the port that it came
   from: its length, or −1; EAGAIN where none waits. */
ssize_t linux_peek_datagram(int process, int number, void *bytes, size_t length, uint16_t *port);
/* seccomp(2): from here on this process opens no file, and does little but send and receive. */
int linux_keep_to_sockets(void);
/* seccomp(2): from here on setgroups(2) and ioctl(TUNSETIFF) of this process wait until the listener answers. */
int linux_gate_tunnel(void);
/* Whether the processor has AVX2, and the kernel keeps its registers. */
int linux_has_avx2(void);
int linux_is_setgroups(int number);
/* rtnetlink(7): the addresses of all interfaces but those of loopback, 127.0.0.0/8 and ::1; how many, at most `room`, E2BIG where there are more. */
int linux_interface_addresses(struct linux_route *addresses, int room);
/* A socket that receives at that address, of 4 or 16 bytes, and port; what failed in making it. */
enum linux_port_step { linux_port_socket, linux_port_set, linux_port_bind, linux_port_listen };
int linux_open_port(const unsigned char *address, int length, uint16_t port, int datagrams, enum linux_port_step *step);
/* Whether the kernel says so of a socket: getsockname(2), SO_TYPE and SO_ACCEPTCONN of socket(7). */
int linux_is_port(int socket, const unsigned char *address, int length, uint16_t port, int datagrams);
/* Whether a socket that is made now belongs to that network namespace, an open file of it. */
int linux_is_socket_of(int network);
/* The next connection; its descriptor does not wait. */
int linux_accept(int listener);
/* A socket that is being connected to that port of 127.0.0.1 or ::1, or is already: `there`; it does not wait. */
int linux_connect_loopback(int six, uint16_t port, int datagrams, int *there);
/* SO_ERROR of socket(7): 0, or an errno. */
int linux_socket_error(int socket);
/* Closes a connection so that its other end is told that it failed. */
void linux_abort_connection(int socket);
/* Who has sent a datagram, and at which address of this host. */
struct linux_peer { unsigned char name[28], own[16]; unsigned name_length, own_length; };
ssize_t linux_receive_by_port(int socket, void *bytes, size_t room, struct linux_peer *peer);
ssize_t linux_send_by_port(int socket, const void *bytes, size_t length, const struct linux_peer *peer);
/* Interfaces, by rtnetlink(7): a channel to the links of a network namespace, an open file, or of the caller's own (-1). */
enum linux_link_kind { linux_link_veth, linux_link_macvlan, linux_link_ipvlan };
int linux_open_links(int network);
/* An interface's number by its name. */
int linux_link_index(int channel, const char *name);
/* An interface `inner` in the namespace `network`: the other end of `outer`, or one on `parent`. For a veth a parent that is not 0
   is the bridge that the outer end joins. */
int linux_make_link(int channel, enum linux_link_kind kind, const char *outer, const char *inner, int parent, int network);
int linux_raise_link(int channel, int index);
int linux_delete_link(int channel, int index);
int linux_add_address(int channel, int index, const unsigned char *address, int length, int prefix);
int linux_add_default_route(int channel, int index, const unsigned char *gateway, int length);
/* epoll(7), level-triggered. */
int linux_events_open(void);
int linux_events_set(int events, int operation, int descriptor, uint32_t interest);
int linux_events_wait(int events, int *descriptors, uint32_t *found, int room, int milliseconds);
/* The number in the link /proc/PID/ns/NAME, namespaces(7); 0 where it has none. */
int linux_namespace_number(int directory, const char *name, uint64_t *number);
/* What the kernel says to bind or connect to that port of 127.0.0.1: an errno, or 0. */
int linux_refusal_of_tcp(int connecting, uint16_t port);
/* A socket that listens at an abstract address of the kernel's choice; and what it says to who connects to it. */
int linux_listen_abstractly(void);
int linux_refusal_of_abstract(int listener);
/* SO_PEERCRED of unix(7). */
int linux_peer(int socket, pid_t *process, uid_t *user);


#endif
