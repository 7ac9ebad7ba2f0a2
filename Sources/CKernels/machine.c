#define _GNU_SOURCE
#include <unistd.h>

#include "kernels.h"

const char *fathom_instruction_path(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const int fuses = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (__builtin_cpu_supports("avx512f")) return fuses ? "avx512f" : "avx512f without fma";
    if (__builtin_cpu_supports("avx2")) return fuses ? "avx2" : "avx2 without fma";
#endif
    return "default";
}

ptrdiff_t fathom_math_library(char *text, ptrdiff_t size) {
#ifdef _CS_GNU_LIBC_VERSION
    return (ptrdiff_t)confstr(_CS_GNU_LIBC_VERSION, text, (size_t)size);
#else
    (void)text, (void)size;
    return 0;
#endif
}
