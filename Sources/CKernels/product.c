#include "product.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#define PATH avx512
#define LANES_ON_PATH 16
#define BLOCK_ROWS 8
#define FUSED 1
#include "product_path.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define PATH avx2
#define LANES_ON_PATH 8
#define BLOCK_ROWS 4
#define FUSED 1
#include "product_path.h"
#pragma clang attribute pop
#endif

#define PATH plain
#define LANES_ON_PATH 4
#define BLOCK_ROWS 4
#if defined(__aarch64__)
#define FUSED 1
#else
#define FUSED 0
#endif
#include "product_path.h"

void fathom_packed_product(const fathom_product_call *call) {
    switch (fathom_chosen_path()) {
#if defined(__x86_64__)
    case FATHOM_AVX512: product_avx512(call); break;
    case FATHOM_AVX2: product_avx2(call); break;
#endif
    default: product_plain(call); break;
    }
}

size_t fathom_packed_left_size(ptrdiff_t rows, ptrdiff_t depth) {
    return (size_t)((rows + 15) / 16 * 16 * depth);
}

void fathom_pack_left(const fathom_product_call *call, float *packed) {
    switch (fathom_chosen_path()) {
#if defined(__x86_64__)
    case FATHOM_AVX512: pack_whole_left_avx512(call, packed); break;
    case FATHOM_AVX2: pack_whole_left_avx2(call, packed); break;
#endif
    default: pack_whole_left_plain(call, packed); break;
    }
}

void fathom_product(fathom_matrix left, fathom_matrix right, ptrdiff_t rows, ptrdiff_t columns,
                    ptrdiff_t depth, float factor, int adds, float *result,
                    ptrdiff_t result_stride) {
    const fathom_product_call call = {
        .rows = rows,
        .columns = columns,
        .depth = depth,
        .factor = factor,
        .left = left.numbers,
        .left_stride = left.stride,
        .left_transposed = left.transposed,
        .right = right.numbers,
        .right_stride = right.stride,
        .right_transposed = right.transposed,
        .adds = adds,
        .result = result,
        .result_stride = result_stride,
    };
    fathom_packed_product(&call);
}
