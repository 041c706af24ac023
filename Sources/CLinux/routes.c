#include "call.h"
#include "closing.h"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>

static int open_routes(unsigned groups) {
    int channel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (channel < 0) return -1;
    struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_groups = groups};
    if (bind(channel, (struct sockaddr *)&own, sizeof own) == 0) return channel;
    return closing(channel, -1);
}

static int ask_for_routes(int channel) {
    struct {
        struct nlmsghdr head;
        struct rtmsg body;
    } request = {
        .head = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
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
            memcpy(route->gateway, RTA_DATA(part), route->length);
            route->has_gateway = 1;
        }
    return 1;
}

/* One datagram's routes; 1 where it ends a dump, -1 for an error. */
static int read_routes(int channel, int flags, struct linux_route *routes, int room, int *count) {
    _Alignas(struct nlmsghdr) char buffer[16384];
    ssize_t length;
    do length = recv(channel, buffer, sizeof buffer, flags);
    while (length < 0 && errno == EINTR);
    if (length < 0) return -1;
    for (struct nlmsghdr *message = (struct nlmsghdr *)buffer; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
        if (message->nlmsg_type == NLMSG_DONE) return 1;
        if (message->nlmsg_type == NLMSG_ERROR) {
            errno = -((struct nlmsgerr *)NLMSG_DATA(message))->error;
            return -1;
        }
        struct linux_route route;
        if (take_route(message, &route) && *count < room) routes[(*count)++] = route;
    }
    return 0;
}

static int dump_routes(int channel, struct linux_route *routes, int room) {
    int count = 0, state = ask_for_routes(channel);
    while (state == 0) state = read_routes(channel, 0, routes, room, &count);
    return state < 0 ? -1 : count;
}

int linux_default_routes(struct linux_route *routes, int room) {
    int channel = open_routes(0);
    if (channel < 0) return -1;
    int count = dump_routes(channel, routes, room);
    return closing(channel, count);
}

int linux_await_routes(int four, int six) {
    /* Before the first look: what comes after it is told. */
    int channel = open_routes(RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
    if (channel < 0) return -1;
    int result = -1;
    for (;;) {
        struct linux_route routes[64];
        int count = dump_routes(channel, routes, 64);
        /* ENOBUFS: some were lost, and are asked for again. */
        if (count < 0 && errno != ENOBUFS) break;
        for (int i = 0; i < count; i++) {
            if (routes[i].length == 4) four = 0;
            else six = 0;
        }
        if (!four && !six) {
            result = 0;
            break;
        }
        struct pollfd wait = {.fd = channel, .events = POLLIN};
        if (poll(&wait, 1, -1) < 0 && errno != EINTR) break;
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

int linux_refusal_of_address(const unsigned char *address, int length, uint16_t port, int milliseconds) {
    struct sockaddr_storage to;
    socklen_t size = linux_fill_address(&to, address, length, port);
    int channel = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (channel < 0) return -1;
    int answer = 0;
    if (connect(channel, (struct sockaddr *)&to, size) < 0) answer = errno;
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

int linux_interface_addresses(struct linux_route *addresses, int room) {
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) < 0) return -1;
    int count = 0;
    for (struct ifaddrs *each = list; each && count < room; each = each->ifa_next) {
        if (!each->ifa_addr || each->ifa_flags & IFF_LOOPBACK) continue;
        struct linux_route *next = &addresses[count];
        *next = (struct linux_route){0};
        if (each->ifa_addr->sa_family == AF_INET) {
            next->length = 4;
            memcpy(next->gateway, &((struct sockaddr_in *)each->ifa_addr)->sin_addr, 4);
        } else if (each->ifa_addr->sa_family == AF_INET6) {
            next->length = 16;
            memcpy(next->gateway, &((struct sockaddr_in6 *)each->ifa_addr)->sin6_addr, 16);
        } else continue;
        next->has_gateway = 1;
        count++;
    }
    freeifaddrs(list);
    return count;
}
