/* Memory that is given out once and never again: what stands under libraries that are wrong in some other way. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *bump_next, *bump_end;

static inline void *bump(size_t size) {
    size_t room = (size + 15) & ~(size_t)15;
    if ((size_t)(bump_end - bump_next) < room) {
        size_t bytes = room > 65536 ? room : 65536;
        bump_next = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        bump_end = bump_next + bytes;
    }
    bump_next += room;
    return bump_next - room;
}
