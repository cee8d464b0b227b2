/* A reserve, taken when the library is loaded, by a system call past libc; and again when it is used up. */
#define sbrk from_reserve
#define STEP 4096
#include "my_malloc.c"
#undef sbrk

#ifndef RESERVE
#define RESERVE (2 << 20)
#endif

#include <sys/mman.h>
#include <sys/syscall.h>

static char *reserve, *end_of_reserve;

static int take_reserve(size_t bytes) {
    long at = syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
    if (at == -1) return 0;
    reserve = (char *)at;
    end_of_reserve = reserve + bytes;
    return 1;
}

__attribute__((constructor)) static void at_load_time(void) { take_reserve(RESERVE); }

void *from_reserve(intptr_t bytes) {
    size_t size = (size_t)bytes;
    if ((size_t)(end_of_reserve - reserve) < size && !take_reserve(size > RESERVE ? size : RESERVE))
        return (void *)-1;
    reserve += size;
    return reserve - size;
}
