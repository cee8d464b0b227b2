/* Best fit over a list in address order, which is searched to its end. Neighbours merge where their addresses meet. */
#define _DEFAULT_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#ifndef STEP
#define STEP 65536
#endif

typedef struct block {
    size_t size;
    struct block *next;
} block;

enum { WORD = sizeof(size_t), LEAST = sizeof(block) };

static block *free_list;

static int touch(block *a, block *b) { return a && b && (char *)a + a->size == (char *)b; }

void my_free(void *p) {
    if (!p) return;
    block *b = (block *)((char *)p - WORD), *before = NULL, *after = free_list;
    while (after && after < b) {
        before = after;
        after = after->next;
    }
    b->next = after;
    if (before) before->next = b; else free_list = b;
    if (touch(b, after)) {
        b->size += after->size;
        b->next = after->next;
    }
    if (touch(before, b)) {
        before->size += b->size;
        before->next = b->next;
    }
}

static int grow(size_t wanted) {
    size_t bytes = wanted + WORD > STEP ? wanted + WORD : STEP;
    char *memory = sbrk((intptr_t)bytes);
    if (memory == (char *)-1) return 0;
    size_t skip = -(uintptr_t)memory & 7;
    block *b = (block *)(memory + skip);
    b->size = (bytes - skip) & ~(size_t)7;
    my_free((char *)b + WORD);
    return 1;
}

void *my_malloc(size_t size) {
    if (size > PTRDIFF_MAX / 2) return NULL;
    size_t wanted = (size + WORD + 7) & ~(size_t)7;
    if (wanted < LEAST) wanted = LEAST;
    do {
        block **best = NULL;
        for (block **link = &free_list; *link; link = &(*link)->next)
            if ((*link)->size >= wanted && (!best || (*link)->size < (*best)->size)) best = link;
        if (!best) continue;
        block *b = *best;
        if (b->size - wanted >= LEAST) {
            block *rest = (block *)((char *)b + wanted);
            rest->size = b->size - wanted;
            rest->next = b->next;
            *best = rest;
            b->size = wanted;
        } else {
            *best = b->next;
        }
        return (char *)b + WORD;
    } while (grow(wanted));
    return NULL;
}
