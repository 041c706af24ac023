#include "closing.h"
#include "linux.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static const int datagram_kind = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
static const int stream_kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

static int set(int socket, int level, int option, int value) { return setsockopt(socket, level, option, &value, sizeof value); }

int linux_open_port(const unsigned char *address, int length, uint16_t port, int datagrams, enum linux_port_step *step) {
    struct sockaddr_storage at;
    const socklen_t size = linux_fill_address(&at, address, length, port);
    *step = linux_port_socket;
    const int opened = socket(at.ss_family, datagrams ? datagram_kind : stream_kind, 0);
    if (opened < 0) return -1;
    *step = linux_port_set;
    /* Both families are published by themselves. A listener may follow one whose connections are in TIME_WAIT; of datagrams the
       option would let another process share the port. */
    if (length == 16 && set(opened, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0) return closing(opened, -1);
    if (!datagrams && set(opened, SOL_SOCKET, SO_REUSEADDR, 1) < 0) return closing(opened, -1);
    /* By which address a question came: the answer must come from there. */
    if (datagrams && set(opened, length == 4 ? IPPROTO_IP : IPPROTO_IPV6, length == 4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1) < 0)
        return closing(opened, -1);
    *step = linux_port_bind;
    if (bind(opened, (struct sockaddr *)&at, size) < 0) return closing(opened, -1);
    *step = linux_port_listen;
    if (!datagrams && listen(opened, SOMAXCONN) < 0) return closing(opened, -1);
    return opened;
}

int linux_is_port(int socket, const unsigned char *address, int length, uint16_t port, int datagrams) {
    struct sockaddr_storage wanted, found = {0};
    const socklen_t size = linux_fill_address(&wanted, address, length, port);
    socklen_t room = sizeof found;
    int kind = 0, listens = 0;
    socklen_t word = sizeof kind;
    if (getsockname(socket, (struct sockaddr *)&found, &room) < 0) return -1;
    if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &kind, &word) < 0) return -1;
    if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &word) < 0) return -1;
    return room == size && memcmp(&found, &wanted, size) == 0 && kind == (datagrams ? SOCK_DGRAM : SOCK_STREAM)
        && (datagrams || listens);
}

int linux_is_socket_of(int network) {
    const int probe = socket(AF_UNIX, datagram_kind, 0);
    if (probe < 0) return -1;
    /* netdevice(7) does not have it: the namespace that a socket is of. */
    const int own = ioctl(probe, SIOCGSKNS);
    if (own < 0) return closing(probe, -1);
    struct stat found, wanted;
    const int failed = fstat(own, &found) < 0 || fstat(network, &wanted) < 0;
    closing(own, 0);
    if (failed) return closing(probe, -1);
    close(probe);
    return found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino;
}

int linux_accept(int listener) {
    const int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0) return -1;
    /* Bytes are passed on as they come. */
    set(accepted, IPPROTO_TCP, TCP_NODELAY, 1);
    return accepted;
}

int linux_connect_loopback(int six, uint16_t port, int datagrams, int *there) {
    static const unsigned char four_loopback[4] = {127, 0, 0, 1};
    static const unsigned char six_loopback[16] = {[15] = 1};
    struct sockaddr_storage to;
    const socklen_t size = linux_fill_address(&to, six ? six_loopback : four_loopback, six ? 16 : 4, port);
    const int opened = socket(to.ss_family, datagrams ? datagram_kind : stream_kind, 0);
    if (opened < 0) return -1;
    if (!datagrams) set(opened, IPPROTO_TCP, TCP_NODELAY, 1);
    int outcome = connect(opened, (struct sockaddr *)&to, size);
    /* On the loopback interface it has mostly been answered before the call returns, which takes the answer in as its last act. */
    if (outcome < 0 && errno == EINPROGRESS) outcome = connect(opened, (struct sockaddr *)&to, size);
    if (outcome < 0 && errno != EINPROGRESS && errno != EALREADY) return closing(opened, -1);
    *there = outcome == 0;
    return opened;
}

int linux_socket_error(int socket) {
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

void linux_abort_connection(int socket) {
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(socket);
}

ssize_t linux_receive_by_port(int socket, void *bytes, size_t room, struct linux_peer *peer) {
    _Alignas(struct cmsghdr) char control[256];
    struct iovec part = {bytes, room};
    *peer = (struct linux_peer){0};
    struct msghdr message = {
        .msg_name = peer->name, .msg_namelen = sizeof peer->name, .msg_iov = &part, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control,
    };
    const ssize_t length = recvmsg(socket, &message, MSG_DONTWAIT);
    if (length < 0) return -1;
    peer->name_length = message.msg_namelen;
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
        if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(each), sizeof info);
            memcpy(peer->own, &info.ipi_spec_dst, 4);
            peer->own_length = 4;
        } else if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(each), sizeof info);
            memcpy(peer->own, &info.ipi6_addr, 16);
            peer->own_length = 16;
        }
    }
    return length;
}

ssize_t linux_send_by_port(int socket, const void *bytes, size_t length, const struct linux_peer *peer) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
    struct iovec part = {(void *)bytes, length};
    struct msghdr message = {
        .msg_name = (void *)peer->name, .msg_namelen = peer->name_length, .msg_iov = &part, .msg_iovlen = 1,
        .msg_control = control,
    };
    struct cmsghdr *head = (struct cmsghdr *)control;
    if (peer->own_length == 4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, peer->own, 4);
        *head = (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
        memcpy(CMSG_DATA(head), &info, sizeof info);
        message.msg_controllen = CMSG_SPACE(sizeof info);
    } else if (peer->own_length == 16) {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, peer->own, 16);
        *head = (struct cmsghdr){.cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
        memcpy(CMSG_DATA(head), &info, sizeof info);
        message.msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        message.msg_control = NULL;
    }
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int linux_events_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

int linux_events_set(int events, int operation, int descriptor, uint32_t interest) {
    struct epoll_event event = {.events = interest, .data.fd = descriptor};
    return epoll_ctl(events, operation, descriptor, &event);
}

int linux_events_wait(int events, int *descriptors, uint32_t *found, int room, int milliseconds) {
    struct epoll_event list[64];
    const int count = epoll_wait(events, list, room < 64 ? room : 64, milliseconds);
    for (int i = 0; i < count; i++) {
        descriptors[i] = list[i].data.fd;
        found[i] = list[i].events;
    }
    return count;
}
