#define _GNU_SOURCE
#include "paths.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

fathom_path fathom_chosen_path(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return FATHOM_PLAIN;
    return __builtin_cpu_supports("avx512f") ? FATHOM_AVX512 : FATHOM_AVX2;
#else
    return FATHOM_PLAIN;
#endif
}

typedef struct {
    float *memory[FATHOM_MEMORIES];
    size_t floats[FATHOM_MEMORIES];
} thread_memory;

static _Thread_local thread_memory *mine;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void give_back(void *value) {
    thread_memory *memory = value;
    for (int slot = 0; slot < FATHOM_MEMORIES; slot++) free(memory->memory[slot]);
    free(memory);
    mine = NULL;
}

static void make_key(void) {
    if (pthread_key_create(&key, give_back) != 0) abort();
}

static void *checked(void *memory, size_t bytes) {
    if (memory) return memory;
    fprintf(stderr, "fathom: no memory for %zu bytes of working space\n", bytes);
    abort();
}

float *fathom_working_memory(int slot, size_t floats) {
    if (!mine) {
        pthread_once(&once, make_key);
        mine = checked(calloc(1, sizeof *mine), sizeof *mine);
        pthread_setspecific(key, mine);
    }
    if (mine->floats[slot] < floats) {
        const size_t bytes = (floats * sizeof(float) + 4095) / 4096 * 4096;
        free(mine->memory[slot]);
        mine->memory[slot] = checked(aligned_alloc(4096, bytes), bytes);
        mine->floats[slot] = bytes / sizeof(float);
    }
    return mine->memory[slot];
}
