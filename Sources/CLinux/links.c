#include "netlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

/* A request of rtnetlink(7) that grows at its end. */
struct request {
    struct nlmsghdr head;
    char rest[1000];
};

static char *end_of(struct request *request) { return (char *)request + NLMSG_ALIGN(request->head.nlmsg_len); }

static struct request begin(int type, int flags, const void *body, size_t length) {
    struct request request = {.head = {.nlmsg_len = NLMSG_LENGTH(length), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags}};
    memcpy(NLMSG_DATA(&request.head), body, length);
    return request;
}

static struct rtattr *put(struct request *request, int type, const void *value, size_t length) {
    struct rtattr *part = (struct rtattr *)end_of(request);
    part->rta_type = type;
    part->rta_len = RTA_LENGTH(length);
    if (length) memcpy(RTA_DATA(part), value, length);
    request->head.nlmsg_len = NLMSG_ALIGN(request->head.nlmsg_len) + RTA_ALIGN(part->rta_len);
    return part;
}

static void put_text(struct request *request, int type, const char *text) { put(request, type, text, strlen(text) + 1); }
static void put_number(struct request *request, int type, uint32_t number) { put(request, type, &number, sizeof number); }
static void close_part(struct request *request, struct rtattr *part) { part->rta_len = (unsigned short)(end_of(request) - (char *)part); }

/* Sends it, and waits for the kernel's word; the index of the first link that is told, or 0, or -1 with errno. */
static int ask(int channel, struct request *request) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(channel, request, request->head.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) return -1;
    int index = 0;
    for (;;) {
        _Alignas(struct nlmsghdr) char buffer[16384];
        ssize_t length = hear(channel, buffer, sizeof buffer);
        if (length < 0) return -1;
        for (struct nlmsghdr *each = (struct nlmsghdr *)buffer; NLMSG_OK(each, length); each = NLMSG_NEXT(each, length)) {
            if (each->nlmsg_type == RTM_NEWLINK && !index) index = ((struct ifinfomsg *)NLMSG_DATA(each))->ifi_index;
            if (each->nlmsg_type != NLMSG_ERROR) continue;
            errno = -((struct nlmsgerr *)NLMSG_DATA(each))->error;
            return errno ? -1 : index;
        }
    }
}

int linux_open_links(int network) {
    const int own = network < 0 ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (network >= 0 && (own < 0 || setns(network, CLONE_NEWNET) < 0)) return -1;
    const int channel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    const int saved = errno;
    /* Nothing may be done in the wrong network. */
    if (network >= 0 && setns(own, CLONE_NEWNET) < 0) _exit(125);
    if (own >= 0) close(own);
    errno = saved;
    return channel;
}

int linux_link_index(int channel, const char *name) {
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
    struct request request = begin(RTM_GETLINK, 0, &link, sizeof link);
    put_text(&request, IFLA_IFNAME, name);
    return ask(channel, &request);
}

int linux_make_link(int channel, enum linux_link_kind kind, const char *outer, const char *inner, int parent, int network) {
    static const char *const names[] = {"veth", "macvlan", "ipvlan"};
    const int is_pair = kind == linux_link_veth;
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
    struct request request = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    put_text(&request, IFLA_IFNAME, is_pair ? outer : inner);
    if (parent) put_number(&request, is_pair ? IFLA_MASTER : IFLA_LINK, (uint32_t)parent);
    if (!is_pair) put_number(&request, IFLA_NET_NS_FD, (uint32_t)network);
    struct rtattr *info = put(&request, IFLA_LINKINFO, NULL, 0);
    put_text(&request, IFLA_INFO_KIND, names[kind]);
    struct rtattr *data = put(&request, IFLA_INFO_DATA, NULL, 0);
    if (is_pair) {
        struct rtattr *peer = put(&request, VETH_INFO_PEER, &link, sizeof link);
        put_text(&request, IFLA_IFNAME, inner);
        put_number(&request, IFLA_NET_NS_FD, (uint32_t)network);
        close_part(&request, peer);
    } else if (kind == linux_link_macvlan) {
        put_number(&request, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
    } else {
        const uint16_t mode = IPVLAN_MODE_L2;
        put(&request, IFLA_IPVLAN_MODE, &mode, sizeof mode);
    }
    close_part(&request, data);
    close_part(&request, info);
    return ask(channel, &request);
}

int linux_raise_link(int channel, int index) {
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct request request = begin(RTM_NEWLINK, 0, &link, sizeof link);
    return ask(channel, &request);
}

int linux_delete_link(int channel, int index) {
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index};
    struct request request = begin(RTM_DELLINK, 0, &link, sizeof link);
    return ask(channel, &request);
}

int linux_add_address(int channel, int index, const unsigned char *address, int length, int prefix) {
    struct ifaddrmsg body = {.ifa_family = length == 4 ? AF_INET : AF_INET6, .ifa_prefixlen = (unsigned char)prefix, .ifa_index = (unsigned)index};
    /* Nobody asks on the link whether it is taken: the jail does not wait for that. */
    if (length == 16) body.ifa_flags = IFA_F_NODAD;
    struct request request = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
    put(&request, IFA_LOCAL, address, (size_t)length);
    put(&request, IFA_ADDRESS, address, (size_t)length);
    return ask(channel, &request);
}

int linux_add_default_route(int channel, int index, const unsigned char *gateway, int length) {
    struct rtmsg body = {
        .rtm_family = length == 4 ? AF_INET : AF_INET6, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
        .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST,
    };
    struct request request = begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
    put_number(&request, RTA_OIF, (uint32_t)index);
    put(&request, RTA_GATEWAY, gateway, (size_t)length);
    return ask(channel, &request);
}
