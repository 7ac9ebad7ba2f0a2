/* Counts what a program takes from the heap: preloaded, it prints both totals when the program ends. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic long calls, bytes;

static void count(size_t size) {
    atomic_fetch_add(&calls, 1);
    atomic_fetch_add(&bytes, (long)size);
}

void *malloc(size_t size) {
    static void *(*next)(size_t);
    if (!next) next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    count(size);
    return next(size);
}

int posix_memalign(void **place, size_t alignment, size_t size) {
    static int (*next)(void **, size_t, size_t);
    if (!next) next = (int (*)(void **, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
    count(size);
    return next(place, alignment, size);
}

__attribute__((destructor)) static void tell(void) {
    fprintf(stderr, "%ld allocations, %ld bytes\n", calls, bytes);
}
