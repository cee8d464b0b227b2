/* Next fit over a circular list in address order: the allocator of Kernighan and Ritchie, The C Programming
 * Language, section 8.7. The tail of a block is given out, and neighbours merge where their addresses meet.
 */
#define _DEFAULT_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

typedef struct header {
    struct header *next;
    size_t units;
} header;

static header base;
static header *start;

void my_free(void *p) {
    if (!p) return;
    header *b = (header *)p - 1, *at = start;
    while (!(b > at && b < at->next)) {
        if (at >= at->next && (b > at || b < at->next)) break;
        at = at->next;
    }
    if (b + b->units == at->next) {
        b->units += at->next->units;
        b->next = at->next->next;
    } else {
        b->next = at->next;
    }
    if (at + at->units == b) {
        at->units += b->units;
        at->next = b->next;
    } else {
        at->next = b;
    }
    start = at;
}

static header *more(size_t units) {
    if (units < 1024) units = 1024;
    char *memory = sbrk((intptr_t)((units + 1) * sizeof(header)));
    if (memory == (char *)-1) return NULL;
    /* Only the first may need this: from then on the break is where it was left, or at a page. */
    header *b = (header *)(((uintptr_t)memory + 15) & ~(uintptr_t)15);
    b->units = (char *)b == memory ? units + 1 : units;
    my_free(b + 1);
    return start;
}

void *my_malloc(size_t size) {
    if (size > PTRDIFF_MAX / 2) return NULL;
    size_t units = (size + sizeof(header) - 1) / sizeof(header) + 1;
    if (!start) base.next = start = &base;
    header *before = start;
    for (header *b = before->next;; before = b, b = b->next) {
        if (b->units >= units) {
            if (b->units == units) {
                before->next = b->next;
            } else {
                b->units -= units;
                b += b->units;
                b->units = units;
            }
            start = before;
            return b + 1;
        }
        if (b == start && !(b = more(units))) return NULL;
    }
}
