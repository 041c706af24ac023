#ifndef IMMURE_CLOSING_H
#define IMMURE_CLOSING_H

#include "linux.h"

/* Closes a descriptor and gives `result` back, with the errno that came with that. */
static inline int closing(int descriptor, int result) {
    const int saved = errno;
    close(descriptor);
    errno = saved;
    return result;
}

#endif
