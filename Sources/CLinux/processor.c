#include "linux.h"

#if defined __x86_64__
#include <cpuid.h>

/* As __builtin_cpu_supports does, which asks at the start of every program that has it: under a hypervisor each question takes microseconds. */
int linux_has_avx2(void) {
    unsigned int a, b, c, d;
    const unsigned int state = bit_OSXSAVE | bit_AVX;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & state) != state) return 0;
    unsigned int low, high;
    /* The kernel keeps these registers for who is interrupted. */
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2);
}
#else
int linux_has_avx2(void) { return 0; }
#endif
