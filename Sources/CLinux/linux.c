#include "closing.h"
#include "linux.h"

#include <netinet/in.h>
#include <stddef.h>

ssize_t linux_send_message(int socket, const void *bytes, size_t length, int descriptor) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control.space;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t linux_receive_message(int socket, void *bytes, size_t length, int *descriptor) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    *descriptor = -1;
    ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (count < 0) return count;
    struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS)
        memcpy(descriptor, CMSG_DATA(first), sizeof *descriptor);
    return count;
}

int linux_vfork(int (*body)(void *), void *context) {
    /* The caller stands still while it is in use. Kept: to unmap three pages takes as long as to make a directory. */
    static char stack[1 << 20] __attribute__((aligned(16)));
    return clone(body, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, context);
}

ssize_t linux_receive_notice(
    int socket, void *bytes, size_t length, int flags, int *descriptors, int *count, pid_t *sender) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(253 * sizeof(int))];
    } control;
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    const int room = *count;
    int cut = 0;
    *count = 0;
    *sender = -1;
    ssize_t received = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0) return received;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET) continue;
        if (part->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
            *sender = credentials.pid;
        }
        if (part->cmsg_type != SCM_RIGHTS) continue;
        size_t passed = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < passed; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + index * sizeof(int), sizeof descriptor);
            if (*count < room) {
                descriptors[(*count)++] = descriptor;
            } else {
                close(descriptor);
                cut = 1;
            }
        }
    }
    if (!cut && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) return received;
    while (*count > 0) close(descriptors[--*count]);
    errno = EMSGSIZE;
    return -1;
}

int linux_has_ended(pid_t child) {
    siginfo_t end = {0};
    if (waitid(P_PID, (id_t)child, &end, WEXITED | WNOHANG | WNOWAIT) < 0) return errno == ECHILD ? 1 : -1;
    return end.si_pid == child;
}

ssize_t linux_send_notice(int socket, const void *bytes, size_t length, const int *descriptors, int count) {
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(253 * sizeof(int))];
    } control = {0};
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
    }
    return sendmsg(socket, &message, flags);
}

static socklen_t path_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return 0;
    }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    if (path[0] != '@') return sizeof *address;
    address->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

int linux_bind_path(int socket, const char *path) {
    struct sockaddr_un address;
    socklen_t length = path_address(&address, path);
    return length ? bind(socket, (struct sockaddr *)&address, length) : -1;
}

int linux_connect_path(int socket, const char *path) {
    struct sockaddr_un address;
    socklen_t length = path_address(&address, path);
    return length ? connect(socket, (struct sockaddr *)&address, length) : -1;
}

int linux_interface_up(const char *name, int *flags, char other[IFNAMSIZ]) {
    struct ifreq request = {0}, found[16];
    struct ifconf list = {.ifc_len = sizeof found, .ifc_req = found};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    other[0] = 0;
    int socket_descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_descriptor < 0) return -1;
    request.ifr_flags = IFF_UP;
    int result = ioctl(socket_descriptor, SIOCSIFFLAGS, &request);
    request.ifr_flags = 0;
    if (result >= 0) result = ioctl(socket_descriptor, SIOCGIFFLAGS, &request);
    if (result >= 0) result = ioctl(socket_descriptor, SIOCGIFCONF, &list);
    if (closing(socket_descriptor, result) < 0) return result;
    *flags = request.ifr_flags;
    for (size_t i = 0; i < (size_t)list.ifc_len / sizeof *found; i++)
        if (strncmp(found[i].ifr_name, name, IFNAMSIZ) != 0) memcpy(other, found[i].ifr_name, IFNAMSIZ);
    return 0;
}

int linux_connect(int socket, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    return connect(socket, (struct sockaddr *)&address, sizeof address);
}

int linux_namespace_number(int directory, const char *name, uint64_t *number) {
    char link[64] = "";
    ssize_t length = readlinkat(directory, name, link, sizeof link - 1);
    *number = 0;
    if (length < 0) return -1;
    const char *digits = memchr(link, '[', (size_t)length);
    if (digits) *number = strtoull(digits + 1, NULL, 10);
    return 0;
}

int linux_refusal_of_tcp(int connecting, uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int end = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (end < 0) return errno;
    int result = connecting ? connect(end, (struct sockaddr *)&address, sizeof address)
                            : bind(end, (struct sockaddr *)&address, sizeof address);
    int saved = result < 0 ? errno : 0;
    close(end);
    return saved;
}

int linux_peer(int socket, pid_t *process, uid_t *user) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    int result = getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
    *process = result < 0 ? 0 : credentials.pid;
    *user = result < 0 ? (uid_t)-1 : credentials.uid;
    return result;
}

int linux_listen_abstractly(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return -1;
    /* unix(7), autobind: the address is no longer than the family. */
    if (bind(listener, (struct sockaddr *)&address, sizeof address.sun_family) < 0 || listen(listener, 1) < 0)
        return closing(listener, -1);
    return listener;
}

int linux_refusal_of_abstract(int listener) {
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0) return errno;
    int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (end < 0) return errno;
    int saved = connect(end, (struct sockaddr *)&address, length) < 0 ? errno : 0;
    close(end);
    return saved;
}

int linux_select(struct pollfd *watches, int count, int milliseconds) {
    enum { width = 8 * sizeof(unsigned long) };
    int highest = 0;
    for (int i = 0; i < count; i++)
        if (watches[i].fd > highest) highest = watches[i].fd;
    unsigned long set[highest / width + 1];
    memset(set, 0, sizeof set);
    for (int i = 0; i < count; i++)
        if (watches[i].fd >= 0) set[watches[i].fd / width] |= 1UL << watches[i].fd % width;
    struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    int found = syscall(SYS_pselect6, highest + 1, set, NULL, NULL, milliseconds < 0 ? NULL : &limit, NULL);
    for (int i = 0; i < count; i++)
        watches[i].revents =
            found > 0 && watches[i].fd >= 0 && set[watches[i].fd / width] >> watches[i].fd % width & 1 ? POLLIN : 0;
    return found;
}

int linux_lock_for_reading(int descriptor) {
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_OFD_SETLK, &lock);
}

int linux_is_locked_for_reading(int descriptor) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(descriptor, F_OFD_GETLK, &lock) < 0) return -1;
    return lock.l_type == F_RDLCK;
}
