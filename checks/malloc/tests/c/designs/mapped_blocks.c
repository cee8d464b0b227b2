/* Blocks above 64 KiB are mappings of their own, which go back to the system when they are freed.
 *
 *     | pad | size+mapped+used | payload ...        the word before the payload is where small blocks have theirs
 */
#define my_malloc small_malloc
#define my_free small_free
#include "my_malloc.c"
#undef my_malloc
#undef my_free

#include <sys/mman.h>

enum { MAPPED = 2, LARGE = 65536 };

void *my_malloc(size_t size) {
    if (size <= LARGE) return small_malloc(size);
    if (size > PTRDIFF_MAX) return NULL;
    size_t bytes = (size + 2 * WORD + 4095) & ~(size_t)4095;
    size_t *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    start[1] = bytes | MAPPED | USED;
    return start + 2;
}

void my_free(void *p) {
    if (!p) return;
    size_t tag = ((size_t *)p)[-1];
    if (tag & MAPPED) munmap((size_t *)p - 2, tag & ~(size_t)7); else small_free(p);
}
