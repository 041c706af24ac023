#pragma once

#include "linux.h"

#include <linux/netlink.h>
#include <poll.h>

/* Receives a datagram of rtnetlink(7). The kernel answers before the call that asks it returns: where nothing is there after a second
   nothing was asked, ETIMEDOUT. */
static inline ssize_t hear(int channel, void *buffer, size_t size) {
    struct pollfd wait = {.fd = channel, .events = POLLIN};
    ssize_t length;
    do {
        const int ready = poll(&wait, 1, 1000);
        if (ready == 0) errno = ETIMEDOUT;
        if (ready == 0 || (ready < 0 && errno != EINTR)) return -1;
        length = ready < 0 ? -1 : recv(channel, buffer, size, MSG_DONTWAIT);
    } while (length < 0 && (errno == EINTR || errno == EAGAIN));
    return length;
}
