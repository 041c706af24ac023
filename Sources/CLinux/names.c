#include "call.h"
#include "closing.h"

#include <endian.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

int linux_serve_names(int type, const struct sockaddr_in *address) {
    int server = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server < 0) return -1;
    /* Loopback may still be down. */
    const int on = 1;
    if (setsockopt(server, SOL_IP, IP_FREEBIND, &on, sizeof on) < 0) return closing(server, -1);
    if (bind(server, (const struct sockaddr *)address, sizeof *address) < 0) return closing(server, -1);
    if (type == SOCK_STREAM && listen(server, 64) < 0) return closing(server, -1);
    return server;
}

int linux_open_rules(void) {
    int channel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
    if (channel < 0) return -1;
    /* Errors come without the message that they are about. */
    const int on = 1;
    if (setsockopt(channel, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on) < 0) return closing(channel, -1);
    /* Whose number the kernel gives: answers come here, and nobody else's. */
    const struct sockaddr_nl own = {.nl_family = AF_NETLINK}, kernel = {.nl_family = AF_NETLINK};
    if (bind(channel, (const struct sockaddr *)&own, sizeof own) < 0) return closing(channel, -1);
    if (connect(channel, (const struct sockaddr *)&kernel, sizeof kernel) < 0) return closing(channel, -1);
    return channel;
}

/* A message of nfnetlink in the making. */
struct batch {
    char *bytes;
    size_t length;
};

static struct nlmsghdr *begin_message(struct batch *batch, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
    struct nlmsghdr *head = (struct nlmsghdr *)(batch->bytes + batch->length);
    *head = (struct nlmsghdr){.nlmsg_len = NLMSG_LENGTH(sizeof(struct nfgenmsg)), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
    *(struct nfgenmsg *)NLMSG_DATA(head) = (struct nfgenmsg){.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htobe16(resource)};
    batch->length += head->nlmsg_len;
    return head;
}

static struct nlattr *begin_part(struct batch *batch, uint16_t type) {
    struct nlattr *part = (struct nlattr *)(batch->bytes + batch->length);
    part->nla_type = type;
    batch->length += NLA_HDRLEN;
    return part;
}

static void end_part(struct batch *batch, struct nlattr *part) {
    part->nla_len = (uint16_t)(batch->bytes + batch->length - (char *)part);
    while (batch->length % NLA_ALIGNTO) batch->bytes[batch->length++] = 0;
}

static void add_part(struct batch *batch, uint16_t type, const void *content, size_t length) {
    struct nlattr *part = begin_part(batch, type);
    memcpy(batch->bytes + batch->length, content, length);
    batch->length += length;
    end_part(batch, part);
}

/* One message that adds elements to a set, or takes them out of it. */
static void change_elements(struct batch *batch, int adds, uint32_t number, const char *set, const struct linux_element *elements, int count) {
    const uint16_t type = NFNL_SUBSYS_NFTABLES << 8 | (adds ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
    struct nlmsghdr *head = begin_message(batch, type, adds ? NLM_F_CREATE | NLM_F_ACK : 0, NFPROTO_INET, 0);
    head->nlmsg_seq = number;
    add_part(batch, NFTA_SET_ELEM_LIST_TABLE, "immure", sizeof "immure");
    add_part(batch, NFTA_SET_ELEM_LIST_SET, set, strlen(set) + 1);
    struct nlattr *list = begin_part(batch, NLA_F_NESTED | NFTA_SET_ELEM_LIST_ELEMENTS);
    for (int i = 0; i < count; i++) {
        struct nlattr *element = begin_part(batch, NLA_F_NESTED | NFTA_LIST_ELEM);
        struct nlattr *key = begin_part(batch, NLA_F_NESTED | NFTA_SET_ELEM_KEY);
        add_part(batch, NFTA_DATA_VALUE, elements[i].address, (size_t)elements[i].length);
        end_part(batch, key);
        const uint64_t timeout = htobe64(elements[i].milliseconds);
        if (adds) add_part(batch, NFTA_SET_ELEM_TIMEOUT, &timeout, sizeof timeout);
        end_part(batch, element);
    }
    end_part(batch, list);
    head->nlmsg_len = (uint32_t)(batch->bytes + batch->length - (char *)head);
}

/* The kernel has done all of it by the time that sendmsg returns: what it says is there to be read, a message each. Returns how many
   old elements have left, which are old no more; −1 where anything else went wrong. */
static int read_answers(int rules, struct linux_element *elements, int count) {
    _Alignas(struct nlmsghdr) char buffer[8192];
    int answer = EBADMSG, gone = 0;
    for (;;) {
        ssize_t length = recv(rules, buffer, sizeof buffer, MSG_DONTWAIT);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0 && errno != ENOBUFS) break;
        /* There was no room for some: of what is said, only that is believed which went wrong. */
        if (length < 0 && (answer == EBADMSG || answer == 0)) answer = ENOBUFS;
        for (struct nlmsghdr *next = (struct nlmsghdr *)buffer; NLMSG_OK(next, length); next = NLMSG_NEXT(next, length)) {
            if (next->nlmsg_type != NLMSG_ERROR || next->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) continue;
            const int error = -((struct nlmsgerr *)NLMSG_DATA(next))->error;
            if (error == ENOENT && next->nlmsg_seq < (uint32_t)count && elements[next->nlmsg_seq].is_old) {
                elements[next->nlmsg_seq].is_old = 0;
                gone++;
            } else if (answer == EBADMSG || answer == 0) {
                answer = error;
            }
        }
    }
    if (answer == 0 || (answer == ENOBUFS && gone)) return gone;
    errno = answer;
    return -1;
}

int linux_add_elements(int rules, const char *set, struct linux_element *elements, int count) {
    if (count < 1 || count > linux_most_elements) {
        errno = EINVAL;
        return -1;
    }
    /* Each message of one element, and one of all. */
    _Alignas(struct nlmsghdr) char bytes[linux_most_elements * (128 + 56) + 512];
    for (;;) {
        struct batch batch = {.bytes = bytes};
        begin_message(&batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
        /* To add what is there changes nothing of it before Linux 6.12, its time least of all. */
        for (int i = 0; i < count; i++)
            if (elements[i].is_old) change_elements(&batch, 0, (uint32_t)i, set, &elements[i], 1);
        change_elements(&batch, 1, (uint32_t)count, set, elements, count);
        begin_message(&batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
        ssize_t sent;
        do sent = send(rules, bytes, batch.length, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0) return -1;
        /* Where some have left in this moment nothing was changed: once more, without them among the old. */
        const int gone = read_answers(rules, elements, count);
        if (gone <= 0) return gone;
    }
}

int linux_open_towards(int type, const unsigned char *address, int length, uint16_t port) {
    struct sockaddr_storage to;
    socklen_t size = linux_fill_address(&to, address, length, port);
    int channel = socket(to.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (channel < 0) return -1;
    if (connect(channel, (struct sockaddr *)&to, size) < 0 && errno != EINPROGRESS) return closing(channel, -1);
    return channel;
}

ssize_t linux_receive_from(int socket, void *bytes, size_t length, struct sockaddr_in *sender) {
    socklen_t size = sizeof *sender;
    return recvfrom(socket, bytes, length, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)sender, &size);
}

ssize_t linux_send_to(int socket, const void *bytes, size_t length, const struct sockaddr_in *receiver) {
    return sendto(socket, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)receiver, receiver ? sizeof *receiver : 0);
}

ssize_t linux_receive_now(int socket, void *bytes, size_t length) { return recv(socket, bytes, length, MSG_DONTWAIT); }

/* poll(2) first: to receive would take an error away that the other process is to have. */
static ssize_t peek(int socket, void *bytes, size_t length, uint16_t *port) {
    struct sockaddr_storage sender = {0};
    socklen_t size = sizeof sender;
    int type = 0;
    socklen_t room = sizeof type;
    if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &room) < 0) return -1;
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    if (type != SOCK_DGRAM || poll(&ready, 1, 0) != 1 || ready.revents != POLLIN) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t found = recvfrom(socket, bytes, length, MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)&sender, &size);
    if (found < 0) return -1;
    if (sender.ss_family == AF_INET) {
        *port = ntohs(((struct sockaddr_in *)&sender)->sin_port);
    } else if (sender.ss_family == AF_INET6) {
        *port = ntohs(((struct sockaddr_in6 *)&sender)->sin6_port);
    } else {
        errno = EAGAIN;
        return -1;
    }
    return found;
}

ssize_t linux_peek_datagram(int process, int number, void *bytes, size_t length, uint16_t *port) {
    int holder = (int)syscall(SYS_pidfd_open, process, 0);
    if (holder < 0) return -1;
    int socket = (int)syscall(SYS_pidfd_getfd, holder, number, 0);
    close(holder);
    if (socket < 0) return -1;
    ssize_t found = peek(socket, bytes, length, port);
    int error = errno;
    close(socket);
    errno = error;
    return found;
}

int linux_accept_now(int server) { return accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

#if defined __x86_64__
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skipped))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define ALLOW(number) UNLESS(number, 1), ANSWER(SECCOMP_RET_ALLOW)

int linux_keep_to_sockets(void) {
    struct sock_filter program[] = {
        LOAD(arch),
        UNLESS(OWN_ARCHITECTURE, 1),
        BPF_STMT(BPF_JMP | BPF_JA, 1),
        ANSWER(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        ALLOW(SYS_recvfrom),
        ALLOW(SYS_sendto),
#ifdef SYS_poll
        ALLOW(SYS_poll),
#endif
        ALLOW(SYS_ppoll),
        ALLOW(SYS_connect),
        ALLOW(SYS_close),
        ALLOW(SYS_accept4),
        ALLOW(SYS_getsockopt),
        ALLOW(SYS_pwrite64),
        ALLOW(SYS_write),
        ALLOW(SYS_clock_gettime),
        ALLOW(SYS_getrandom),
        ALLOW(SYS_brk),
        ALLOW(SYS_munmap),
        ALLOW(SYS_mremap),
        ALLOW(SYS_madvise),
        ALLOW(SYS_futex),
        ALLOW(SYS_rt_sigreturn),
        ALLOW(SYS_restart_syscall),
        ALLOW(SYS_exit),
        ALLOW(SYS_exit_group),
        /* Memory, that holds no code. */
        UNLESS(SYS_mmap, 4),
        LOAD(args[2]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
        ANSWER(SECCOMP_RET_ALLOW),
        ANSWER(SECCOMP_RET_ERRNO | EPERM),
        /* Sockets of IPv4 and IPv6. */
        UNLESS(SYS_socket, 4),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
        UNLESS(AF_INET6, 1),
        ANSWER(SECCOMP_RET_ALLOW),
        ANSWER(SECCOMP_RET_ERRNO | EPERM),
    };
    const struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

int linux_is_setgroups(int number) { return number == SYS_setgroups; }

/* A listener, where who gives up its groups waits, and where the interface of a tun device waits to be made. What has another architecture
   is not the program that was started. */
int linux_gate_tunnel(void) {
    const struct sock_filter program[] = {
        LOAD(arch),
        UNLESS(OWN_ARCHITECTURE, 1),
        BPF_STMT(BPF_JMP | BPF_JA, 1),
        ANSWER(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        UNLESS(SYS_setgroups, 1),
        ANSWER(SECCOMP_RET_USER_NOTIF),
        UNLESS(SYS_ioctl, 3),
        /* The lower half of the number, which is all that ioctl(2) looks at. */
        LOAD(args[1]),
        UNLESS(TUNSETIFF, 1),
        ANSWER(SECCOMP_RET_USER_NOTIF),
        ANSWER(SECCOMP_RET_ALLOW),
    };
    return linux_seccomp_listen(program, sizeof program / sizeof *program);
}
