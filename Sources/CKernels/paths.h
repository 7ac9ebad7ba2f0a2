// Code whose speed decides is written once, in vectors of the compiler's own, and compiled for
// every instruction set there is; the path is chosen at run time. A path with fused multiply-adds
// rounds once where the plain one rounds twice, so the path is part of the numeric class.
#ifndef FATHOM_PATHS_H
#define FATHOM_PATHS_H

#include <stddef.h>
#include <string.h>

typedef enum { FATHOM_PLAIN = 0, FATHOM_AVX2 = 1, FATHOM_AVX512 = 2 } fathom_path;

/// The path this machine takes: the same answer all the time.
fathom_path fathom_chosen_path(void);

/// Working memory of the calling thread, at least `floats` floats at 64-byte boundaries, whose
/// numbers last until the next call with the same `slot`. It grows to the largest size asked for
/// and is given back when the thread ends, so that no step of training takes any.
enum {
    FATHOM_LEFT_MEMORY,
    FATHOM_RIGHT_MEMORY,
    FATHOM_TILE_MEMORY,
    FATHOM_RESULT_MEMORY,
    FATHOM_WEIGHT_MEMORY,
    FATHOM_MEMORIES
};
float *fathom_working_memory(int slot, size_t floats);

#define PATH_NAME2(name, path) name##_##path
#define PATH_NAME1(name, path) PATH_NAME2(name, path)
/// The name of a function or type on the path being compiled.
#define ON_PATH(name) PATH_NAME1(name, PATH)

#define UNROLLED _Pragma("clang loop unroll(full)")
#define PATH_INLINE static inline __attribute__((always_inline))

#endif
