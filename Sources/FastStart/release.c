#include "fast_start.h"

#ifdef FAST_RELEASE

#include "program.h"

#include <sys/auxv.h>
#include <sys/mman.h>

/* A launcher sleeps nearly all its life, and the code that made the jail is not needed again. The pages of the segments
   that cannot be written come back from the page cache when they are touched (madvise(2), MADV_DONTNEED). */
void fast_start_release_code(void) {
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    size_t count = getauxval(AT_PHNUM), page = getauxval(AT_PAGESZ);
    uintptr_t base = program_base(headers, count);
    for (size_t i = 0; i < count; i++) {
        if (headers[i].p_type != PT_LOAD || headers[i].p_flags & PF_W) continue;
        uintptr_t from = (base + headers[i].p_vaddr) & ~(page - 1);
        uintptr_t to = base + headers[i].p_vaddr + headers[i].p_memsz;
        madvise((void *)from, to - from, MADV_DONTNEED);
    }
}

#else

void fast_start_release_code(void) {}

#endif
