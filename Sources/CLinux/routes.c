#include "closing.h"
#include "netlink.h"

#include <linux/rtnetlink.h>
#include <netinet/in.h>

/* A socket of NETLINK_ROUTE; what changes in `groups` is told to it. */
static int open_routes(unsigned groups) {
    int channel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (channel < 0 || !groups) return channel;
    struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_groups = groups};
    if (bind(channel, (struct sockaddr *)&own, sizeof own) == 0) return channel;
    return closing(channel, -1);
}

static int ask_for_all(int channel, int type, uint32_t number) {
    struct {
        struct nlmsghdr head;
        struct rtmsg body;
    } request = {
        .head = {.nlmsg_len = sizeof request, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = number},
    };
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    return sendto(channel, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0 ? -1 : 0;
}

/* Takes a default route of the main table out of a message; 1 where it is one. */
static int take_route(const struct nlmsghdr *message, struct linux_route *route) {
    if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg))) return 0;
    const struct rtmsg *body = NLMSG_DATA(message);
    if (body->rtm_dst_len || body->rtm_type != RTN_UNICAST || body->rtm_table != RT_TABLE_MAIN) return 0;
    if (body->rtm_family != AF_INET && body->rtm_family != AF_INET6) return 0;
    *route = (struct linux_route){.length = body->rtm_family == AF_INET ? 4 : 16};
    int left = (int)RTM_PAYLOAD(message);
    for (struct rtattr *part = RTM_RTA(body); RTA_OK(part, left); part = RTA_NEXT(part, left))
        if (part->rta_type == RTA_GATEWAY && RTA_PAYLOAD(part) == (size_t)route->length) {
            memcpy(route->address, RTA_DATA(part), route->length);
            route->has_gateway = 1;
        }
    return 1;
}

/* Takes a default route, or one by which an address of IPv6 is received here, of length 0: the kernel makes that some time after the
   address (addrconf_dad_completed), and until then nothing that is sent to the address comes. */
static int take_way(const struct nlmsghdr *message, struct linux_route *route) {
    if (take_route(message, route)) return 1;
    if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg))) return 0;
    const struct rtmsg *body = NLMSG_DATA(message);
    if (body->rtm_family != AF_INET6 || body->rtm_type != RTN_LOCAL || body->rtm_dst_len != 128) return 0;
    *route = (struct linux_route){.length = 0};
    int left = (int)RTM_PAYLOAD(message);
    for (struct rtattr *part = RTM_RTA(body); RTA_OK(part, left); part = RTA_NEXT(part, left)) {
        if (part->rta_type != RTA_DST || RTA_PAYLOAD(part) != sizeof(struct in6_addr)) continue;
        const struct in6_addr *own = RTA_DATA(part);
        return !IN6_IS_ADDR_LOOPBACK(own) && !IN6_IS_ADDR_LINKLOCAL(own);
    }
    return 0;
}

static int is_loopback(const struct linux_route *route) {
    static const struct in6_addr six = IN6ADDR_LOOPBACK_INIT;
    if (route->length == 4) return route->address[0] == 127 && route->prefix >= 8;
    return route->prefix == 128 && memcmp(route->address, &six, sizeof six) == 0;
}

/* Takes an address out of a message; 1 where it is one. The loopback interface may have others than those that every host has. */
static int take_address(const struct nlmsghdr *message, struct linux_route *address) {
    if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifaddrmsg))) return 0;
    const struct ifaddrmsg *body = NLMSG_DATA(message);
    if (body->ifa_family != AF_INET && body->ifa_family != AF_INET6) return 0;
    const int length = body->ifa_family == AF_INET ? 4 : 16;
    *address = (struct linux_route){.length = length, .prefix = length * 8};
    int left = (int)IFA_PAYLOAD(message);
    for (struct rtattr *part = IFA_RTA(body); RTA_OK(part, left); part = RTA_NEXT(part, left)) {
        if (RTA_PAYLOAD(part) != (size_t)address->length) continue;
        /* Where another end has an address, that is IFA_ADDRESS, and the own one IFA_LOCAL. */
        if (part->rta_type != IFA_LOCAL && (part->rta_type != IFA_ADDRESS || address->has_gateway)) continue;
        memcpy(address->address, RTA_DATA(part), address->length);
        address->has_gateway = 1;
    }
    return address->has_gateway && !is_loopback(address);
}

/* Takes a route by which the host takes something for its own out of a message: an address of an interface, or what was written by hand
   (`ip route add local 10.9.0.0/16 dev lo`), in any table; 1 where it is one. */
static int take_own(const struct nlmsghdr *message, struct linux_route *route) {
    if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg))) return 0;
    const struct rtmsg *body = NLMSG_DATA(message);
    if (body->rtm_type != RTN_LOCAL && body->rtm_type != RTN_ANYCAST && body->rtm_type != RTN_BROADCAST) return 0;
    if (body->rtm_family != AF_INET && body->rtm_family != AF_INET6) return 0;
    /* All there is, in a table of its own, is what a transparent proxy has for packets that it has marked (ip-rule(8)). */
    if (!body->rtm_dst_len && body->rtm_table != RT_TABLE_LOCAL) return 0;
    *route = (struct linux_route){.length = body->rtm_family == AF_INET ? 4 : 16, .prefix = body->rtm_dst_len, .is_own = 1};
    int left = (int)RTM_PAYLOAD(message);
    for (struct rtattr *part = RTM_RTA(body); RTA_OK(part, left); part = RTA_NEXT(part, left))
        if (part->rta_type == RTA_DST && RTA_PAYLOAD(part) == (size_t)route->length) memcpy(route->address, RTA_DATA(part), route->length);
    /* Those of the link are closed with all of their kind. */
    return !is_loopback(route) && !(route->length == 16 && route->address[0] == 0xFE && (route->address[1] & 0xC0) == 0x80);
}

static int take_any(const struct nlmsghdr *message, struct linux_route *route) {
    return take_route(message, route) || take_own(message, route);
}

/* What is taken of a dump: how many, of which those that have room are kept. */
struct taken {
    int (*take)(const struct nlmsghdr *, struct linux_route *);
    struct linux_route *kept;
    int room, count, is_torn;
};

/* One datagram of the dump of that number; 1 where it ends it, -1 for an error. */
static int read_part(int channel, uint32_t number, struct taken *taken) {
    _Alignas(struct nlmsghdr) char buffer[32768];
    ssize_t length = hear(channel, buffer, sizeof buffer);
    if (length < 0) return -1;
    for (struct nlmsghdr *message = (struct nlmsghdr *)buffer; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
        /* What is told unasked, or was left by another dump. */
        if (message->nlmsg_seq != number) continue;
        if (message->nlmsg_flags & NLM_F_DUMP_INTR) taken->is_torn = 1;
        if (message->nlmsg_type == NLMSG_DONE) return 1;
        if (message->nlmsg_type == NLMSG_ERROR) {
            errno = -((struct nlmsgerr *)NLMSG_DATA(message))->error;
            return -1;
        }
        struct linux_route one;
        if (!taken->take(message, &one)) continue;
        if (taken->count < taken->room) taken->kept[taken->count] = one;
        taken->count++;
    }
    return 0;
}

/* Asks for all; how many there are. Where something has changed meanwhile some may be missing: once more. */
static int dump(int channel, int type, struct taken taken) {
    static uint32_t number = 0;
    for (int attempt = 0; attempt < 16; attempt++) {
        taken.count = taken.is_torn = 0;
        int state = ask_for_all(channel, type, ++number);
        while (state == 0) state = read_part(channel, number, &taken);
        if (state < 0) return -1;
        if (!taken.is_torn) return taken.count;
    }
    errno = EBUSY;
    return -1;
}

int linux_routes(struct linux_route *routes, int room) {
    int channel = open_routes(0);
    if (channel < 0) return -1;
    return closing(channel, dump(channel, RTM_GETROUTE, (struct taken){.take = take_any, .kept = routes, .room = room}));
}

/* All of them or none. */
int linux_interface_addresses(struct linux_route *addresses, int room) {
    int channel = open_routes(0);
    if (channel < 0) return -1;
    int count = dump(channel, RTM_GETADDR, (struct taken){.take = take_address, .kept = addresses, .room = room});
    if (count > room) {
        errno = E2BIG;
        count = -1;
    }
    return closing(channel, count);
}

int linux_watch_routes(void) { return open_routes(RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE); }

int linux_hear_routes(int channel) {
    _Alignas(struct nlmsghdr) char buffer[32768];
    int told = 0;
    for (;;) {
        ssize_t length = recv(channel, buffer, sizeof buffer, MSG_DONTWAIT);
        /* ENOBUFS: some were lost, which is told once. */
        if (length < 0 && errno == ENOBUFS) told = 1;
        else if (length < 0 && errno != EINTR) return told;
        struct linux_route one;
        for (struct nlmsghdr *message = (struct nlmsghdr *)buffer; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length))
            if (take_own(message, &one)) told = 1;
    }
}

int linux_await_routes(int four, int six) {
    /* Before the first look: what comes after it is told. */
    int channel = open_routes(RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
    if (channel < 0) return -1;
    int result = -1, received = !six, patience = 5;
    for (;;) {
        struct linux_route routes[64];
        int count = dump(channel, RTM_GETROUTE, (struct taken){.take = take_way, .kept = routes, .room = 64});
        /* ENOBUFS: some were lost, and are asked for again. */
        if (count < 0 && errno != ENOBUFS) break;
        for (int i = 0; i < count && i < 64; i++) {
            if (routes[i].length == 4) four = 0;
            else if (routes[i].length == 16) six = 0;
            else received = 1;
        }
        /* An address that is still looked for on its link is none to wait for long: who sends from it finds out. */
        if (!four && !six && (received || patience == 0)) {
            result = 0;
            break;
        }
        /* And a look by itself, where nothing is told. */
        struct pollfd wait = {.fd = channel, .events = POLLIN};
        int told = poll(&wait, 1, 200);
        if (told < 0 && errno != EINTR) break;
        if (told == 0 && !four && !six) patience--;
    }
    return closing(channel, result);
}

socklen_t linux_fill_address(struct sockaddr_storage *to, const unsigned char *address, int length, uint16_t port) {
    *to = (struct sockaddr_storage){0};
    if (length == 4) {
        struct sockaddr_in *four = (struct sockaddr_in *)to;
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        memcpy(&four->sin_addr, address, 4);
        return sizeof *four;
    }
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    memcpy(&six->sin6_addr, address, 16);
    return sizeof *six;
}

/* What one attempt comes to within `milliseconds`; ETIMEDOUT where nothing is said, -1 where there is no socket. */
static int attempt_connection(const struct sockaddr_storage *to, socklen_t size, int milliseconds) {
    int channel = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (channel < 0) return -1;
    int answer = 0;
    if (connect(channel, (const struct sockaddr *)to, size) < 0) answer = errno;
    if (answer == EINPROGRESS) {
        struct pollfd wait = {.fd = channel, .events = POLLOUT};
        int ready;
        do ready = poll(&wait, 1, milliseconds);
        while (ready < 0 && errno == EINTR);
        socklen_t space = sizeof answer;
        if (ready == 0) answer = ETIMEDOUT;
        else if (getsockopt(channel, SOL_SOCKET, SO_ERROR, &answer, &space) < 0) answer = errno;
    }
    close(channel);
    return answer;
}

int linux_refusal_of_address(const unsigned char *address, int length, uint16_t port, int milliseconds) {
    struct sockaddr_storage to;
    socklen_t size = linux_fill_address(&to, address, length, port);
    /* In a network that has just come up the first answer is lost now and then, and TCP asks again after a second: sooner, by a new
       connection, and the longer each time. */
    int answer = ETIMEDOUT;
    for (int part = 5; milliseconds > 0 && answer == ETIMEDOUT; part *= 2) {
        if (part > milliseconds) part = milliseconds;
        answer = attempt_connection(&to, size, part);
        milliseconds -= part;
    }
    return answer;
}
