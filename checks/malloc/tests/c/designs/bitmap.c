/* No headers: arenas of granules of 8 bytes, with two bits for each. Neighbours need no merging.
 *
 *     used  1 1 1 0 0 1 1 0          last  0 0 1 0 0 0 1 0          two blocks, of three granules and of two
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define ARENA ((size_t)3 << 16)

typedef struct arena {
    struct arena *next;
    char *memory;
    size_t granules, first; /* no granule below `first` is free */
    uint64_t *used, *last;
} arena;

static arena *arenas;

static int get(const uint64_t *bits, size_t i) { return bits[i / 64] >> (i % 64) & 1; }
static void set(uint64_t *bits, size_t i) { bits[i / 64] |= (uint64_t)1 << (i % 64); }
static void clear(uint64_t *bits, size_t i) { bits[i / 64] &= ~((uint64_t)1 << (i % 64)); }

/* An arena of at least so many granules: the bitmaps come first, then the memory. */
static arena *more(size_t granules) {
    if (granules < ARENA / 8) granules = ARENA / 8;
    size_t words = granules / 64 + 1, bytes = sizeof(arena) + 2 * 8 * words + 8 * granules;
    arena *a = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (a == MAP_FAILED) return NULL;
    a->used = (uint64_t *)(a + 1);
    a->last = a->used + words;
    a->memory = (char *)(a->last + words);
    a->granules = granules;
    a->next = arenas;
    return arenas = a;
}

static void *take(arena *a, size_t wanted) {
    while (a->first < a->granules && get(a->used, a->first)) a->first++;
    size_t run = 0;
    for (size_t i = a->first; i < a->granules; i++) {
        if (i % 64 == 0 && a->used[i / 64] == ~(uint64_t)0) {
            run = 0;
            i += 63;
            continue;
        }
        run = get(a->used, i) ? 0 : run + 1;
        if (run < wanted) continue;
        for (size_t j = i + 1 - run; j <= i; j++) set(a->used, j);
        set(a->last, i);
        return a->memory + 8 * (i + 1 - run);
    }
    return NULL;
}

void *my_malloc(size_t size) {
    if (size > PTRDIFF_MAX / 2) return NULL;
    size_t wanted = size ? (size + 7) / 8 : 1;
    for (arena *a = arenas; a; a = a->next) {
        void *p = take(a, wanted);
        if (p) return p;
    }
    arena *a = more(wanted);
    return a ? take(a, wanted) : NULL;
}

void my_free(void *p) {
    if (!p) return;
    arena *a = arenas;
    while ((char *)p < a->memory || (char *)p >= a->memory + 8 * a->granules) a = a->next;
    size_t i = (size_t)((char *)p - a->memory) / 8;
    if (i < a->first) a->first = i;
    while (!get(a->last, i)) clear(a->used, i++);
    clear(a->used, i);
    clear(a->last, i);
}
