/* Every free page at the end of the heap is given back at once. */
#define STEP 4096
#define my_free put_back
#include "my_malloc.c"
#undef my_free

void my_free(void *p) {
    if (!p) return;
    put_back(p);
    block *b = free_list; /* what was just put back, merged */
    if ((char *)behind(b) != end_of_heap - WORD || sbrk(0) != end_of_heap) return;
    size_t spare = (size_of(b) - LEAST) & ~(size_t)4095;
    if (!spare || sbrk(-(intptr_t)spare) == (void *)-1) return;
    end_of_heap -= spare;
    *(size_t *)(end_of_heap - WORD) = USED;
    mark(b, size_of(b) - spare, 0);
}
