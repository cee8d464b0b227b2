/* A list for every power of two over boundary tags: the lists of larger sizes are searched after those of smaller ones. */
#define _DEFAULT_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define STEP 65536

typedef struct block {
    size_t tag;
    struct block *next, *previous;
} block;

enum { USED = 1, WORD = sizeof(size_t), LEAST = 4 * WORD, LISTS = 64 };

static block *lists[LISTS];
static char *end_of_heap;

static block **list_of(size_t size) { return &lists[63 - __builtin_clzl(size)]; }
static size_t size_of(const block *b) { return b->tag & ~(size_t)USED; }
static block *behind(block *b) { return (block *)((char *)b + size_of(b)); }

static void mark(block *b, size_t size, size_t used) {
    b->tag = size | used;
    ((size_t *)((char *)b + size))[-1] = b->tag;
}

static void unlink_block(block *b) {
    if (b->previous) b->previous->next = b->next; else *list_of(size_of(b)) = b->next;
    if (b->next) b->next->previous = b->previous;
}

static void insert(block *b, size_t size) {
    size_t before = ((size_t *)b)[-1];
    if (!(before & USED)) {
        b = (block *)((char *)b - before);
        unlink_block(b);
        size += before;
    }
    block *next = (block *)((char *)b + size);
    if (!(next->tag & USED)) {
        unlink_block(next);
        size += size_of(next);
    }
    mark(b, size, 0);
    block **list = list_of(size);
    b->previous = NULL;
    b->next = *list;
    if (b->next) b->next->previous = b;
    *list = b;
}

static int grow(size_t wanted) {
    size_t bytes = wanted + 3 * WORD > STEP ? wanted + 3 * WORD : STEP;
    char *start = sbrk((intptr_t)bytes);
    if (start == (void *)-1) return 0;
    char *end = start + bytes;
    end -= (uintptr_t)end & 7;
    if (start == end_of_heap) {
        start -= WORD;
    } else {
        start += -(uintptr_t)start & 7;
        *(size_t *)start = USED;
        start += WORD;
    }
    end_of_heap = end;
    *(size_t *)(end - WORD) = USED;
    insert((block *)start, (size_t)(end - WORD - start));
    return 1;
}

void *my_malloc(size_t size) {
    if (size > PTRDIFF_MAX / 2) return NULL;
    size_t wanted = (size + 2 * WORD + 7) & ~(size_t)7;
    if (wanted < LEAST) wanted = LEAST;
    do {
        for (block **list = list_of(wanted); list < lists + LISTS; list++) {
            for (block *b = *list; b; b = b->next) {
                size_t all = size_of(b);
                if (all < wanted) continue;
                unlink_block(b);
                size_t taken = all - wanted >= LEAST ? wanted : all;
                mark(b, taken, USED);
                if (taken < all) insert(behind(b), all - taken);
                return (char *)b + WORD;
            }
        }
    } while (grow(wanted));
    return NULL;
}

void my_free(void *p) {
    if (!p) return;
    block *b = (block *)((char *)p - WORD);
    insert(b, size_of(b));
}
