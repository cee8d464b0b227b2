/* An allocator in C, for the grader's own tests: first fit over boundary tags, stages 1 to 3.
 *
 *     | size+used | payload ...          | size+used |     both words in every block, used or free
 *                 | next | previous ...              |     only in a free one: the links of the list
 *
 * Each region from sbrk ends in words that look like used blocks, so that no merge leaves it. A region that begins
 * where the last one ended continues it. STEP is what is asked of the OS at least.
 */
#define _DEFAULT_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#ifndef STEP
#define STEP 65536
#endif

typedef struct block {
    size_t tag;
    struct block *next, *previous;
} block;

enum { USED = 1, WORD = sizeof(size_t), LEAST = 4 * WORD };

static block *free_list;
static char *end_of_heap;

static size_t size_of(const block *b) { return b->tag & ~(size_t)USED; }
static size_t *footer(block *b) { return (size_t *)((char *)b + size_of(b)) - 1; }
static block *behind(block *b) { return (block *)((char *)b + size_of(b)); }

static void mark(block *b, size_t size, size_t used) {
    b->tag = size | used;
    *footer(b) = b->tag;
}

static void unlink_block(block *b) {
    if (b->previous) b->previous->next = b->next; else free_list = b->next;
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
    b->previous = NULL;
    b->next = free_list;
    if (free_list) free_list->previous = b;
    free_list = b;
}

/* More memory: a fence of one word before it and one behind it. */
static int grow(size_t size) {
    size_t bytes = size + 2 * WORD;
    if (bytes < STEP) bytes = STEP;
    char *start = sbrk((intptr_t)bytes);
    if (start == (void *)-1) return 0;
    char *end = start + bytes;
    if (start != end_of_heap) {
        start += -(uintptr_t)start & 7;
        end -= (uintptr_t)end & 7;
        *(size_t *)start = USED;
        start += WORD;
    } else {
        start -= WORD; /* the old fence becomes the first header */
    }
    end_of_heap = end;
    *(size_t *)(end - WORD) = USED;
    insert((block *)start, (size_t)(end - WORD - start));
    return 1;
}

void *my_malloc(size_t size) {
    if (size > PTRDIFF_MAX) return NULL;
    size_t wanted = (size + 2 * WORD + 7) & ~(size_t)7;
    if (wanted < LEAST) wanted = LEAST;
    for (int again = 0; again < 2; again++) {
        for (block *b = free_list; b; b = b->next) {
            size_t all = size_of(b);
            if (all < wanted) continue;
            unlink_block(b);
            if (all - wanted >= LEAST) {
                mark(b, wanted, USED);
                insert(behind(b), all - wanted);
            } else {
                mark(b, all, USED);
            }
            return (char *)b + WORD;
        }
        if (!grow(wanted)) return NULL;
    }
    return NULL;
}

void my_free(void *p) {
    if (!p) return;
    block *b = (block *)((char *)p - WORD);
    insert(b, size_of(b));
}
