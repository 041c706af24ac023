#ifndef IMMURE_LINUX_H
#define IMMURE_LINUX_H
#include <unistd.h>
#endif
