/* Chunks of 64 KiB from mmap, which are never joined: a block that needs more gets a chunk of its own size. */
#define sbrk chunk
#define STEP 65536
#include "my_malloc.c"

#include <sys/mman.h>

/* Two words more than were asked for, so that no chunk begins where the last one ended. */
void *chunk(intptr_t bytes) {
    size_t room = (size_t)bytes + 2 * WORD;
    char *start = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return start == MAP_FAILED ? MAP_FAILED : start + WORD;
}
