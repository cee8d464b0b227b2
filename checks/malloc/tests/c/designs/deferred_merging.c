/* Free only pushes. When nothing fits, all free neighbours are merged in one walk over the heap, before it grows.
 *
 *     region  | next region | end |  size+used | payload ...  |  size+used | payload ... |       end
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef STEP
#define STEP 65536
#endif

typedef struct block {
    size_t tag;
    struct block *next;
} block;

typedef struct region {
    struct region *next;
    block *end;
} region;

enum { USED = 1, WORD = sizeof(size_t), LEAST = 3 * WORD };

static region *regions;
static block *free_list;

static block *behind(block *b) { return (block *)((char *)b + (b->tag & ~(size_t)USED)); }

static void push(block *b) {
    b->tag &= ~(size_t)USED;
    b->next = free_list;
    free_list = b;
}

static void merge_all(void) {
    free_list = NULL;
    for (region *r = regions; r; r = r->next) {
        for (block *b = (block *)(r + 1); b < r->end; b = behind(b)) {
            if (b->tag & USED) continue;
            while (behind(b) < r->end && !(behind(b)->tag & USED)) b->tag += behind(b)->tag;
            push(b);
        }
    }
}

static void *take(size_t wanted) {
    for (block **link = &free_list; *link; link = &(*link)->next) {
        block *b = *link;
        if (b->tag < wanted) continue;
        *link = b->next;
        if (b->tag - wanted >= LEAST) {
            block *rest = (block *)((char *)b + wanted);
            rest->tag = b->tag - wanted;
            b->tag = wanted;
            push(rest);
        }
        b->tag |= USED;
        return (char *)b + WORD;
    }
    return NULL;
}

void *my_malloc(size_t size) {
    if (size > PTRDIFF_MAX / 2) return NULL;
    size_t wanted = (size + WORD + 7) & ~(size_t)7;
    if (wanted < LEAST) wanted = LEAST;
    void *p = take(wanted);
    if (p) return p;
    merge_all();
    p = take(wanted);
    if (p) return p;
    size_t bytes = wanted + sizeof(region);
    if (bytes < STEP) bytes = STEP;
    region *r = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r == MAP_FAILED) return NULL;
    r->next = regions;
    regions = r;
    block *b = (block *)(r + 1);
    b->tag = (bytes - sizeof(region)) & ~(size_t)7;
    r->end = behind(b);
    push(b);
    return take(wanted);
}

void my_free(void *p) {
    if (p) push((block *)((char *)p - WORD));
}
