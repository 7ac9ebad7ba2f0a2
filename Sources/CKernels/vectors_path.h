// Vectors on one path. Included once a path, with PATH, LANES_ON_PATH and FUSED defined.

typedef float ON_PATH(vector)
    __attribute__((vector_size(4 * LANES_ON_PATH), aligned(4), may_alias));
#define VECTOR ON_PATH(vector)
typedef float ON_PATH(sixteen) __attribute__((vector_size(64), aligned(4), may_alias));
#define SIXTEEN ON_PATH(sixteen)
typedef int ON_PATH(bits)
    __attribute__((vector_size(64), aligned(4), may_alias));
#define BITS16 ON_PATH(bits)

#if FUSED
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma((a), (b), (c))
#else
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

// The types may stand for any floats at any address, so that these are plain unaligned moves.
#define LOAD(from) (*(const VECTOR *)(from))
#define STORE(v, to) (*(VECTOR *)(to) = (v))
#define LOAD16(from) (*(const SIXTEEN *)(from))
#define STORE16(v, to) (*(SIXTEEN *)(to) = (v))

/// Every second number of two vectors.
#define EVENS(a, b) \
    __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)

/// A number in all lanes.
#define SPLAT(x) ((x) - (SIXTEEN){0})

// One stage of a transposition: of rows i and i + s, the blocks of s lanes off the diagonal change
// places.
#define SWAP_STAGE(s, low, high)                                                         \
    UNROLLED for (int i = 0; i < 16; i++) {                                              \
        if (i & (s)) continue;                                                           \
        const SIXTEEN a = rows[i], b = rows[i + (s)];                                    \
        rows[i] = __builtin_shufflevector(a, b, low);                                    \
        rows[i + (s)] = __builtin_shufflevector(a, b, high);                             \
    }
#define LIST(...) __VA_ARGS__

/// Sixteen rows of sixteen become columns.
PATH_INLINE void ON_PATH(transpose16)(SIXTEEN *rows) {
    SWAP_STAGE(8, LIST(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
               LIST(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
    SWAP_STAGE(4, LIST(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
               LIST(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    SWAP_STAGE(2, LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
               LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    SWAP_STAGE(1, LIST(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
               LIST(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
}

/// Up to sixteen rows of sixteen numbers, `stride` apart, turned round: `block[i]` is column i.
/// Rows and numbers that are not there count as zero.
PATH_INLINE void ON_PATH(gather16)(const float *from, ptrdiff_t stride, ptrdiff_t rows,
                                   ptrdiff_t numbers, SIXTEEN *block) {
    if (rows == 16 && numbers == 16) {
        UNROLLED for (int i = 0; i < 16; i++) block[i] = LOAD16(from + i * stride);
    } else {
        float edge[16] __attribute__((aligned(64)));
        for (int i = 0; i < 16; i++) {
            for (int j = 0; j < 16; j++) edge[j] = 0;
            if (i < rows) {
                for (ptrdiff_t j = 0; j < numbers; j++) edge[j] = from[i * stride + j];
            }
            block[i] = LOAD16(edge);
        }
    }
    ON_PATH(transpose16)(block);
}

/// The first `count` of sixteen numbers, fewer than all. The vector is a copy, so that whoever sums
/// in it keeps it in a register.
PATH_INLINE void ON_PATH(store_part)(const SIXTEEN *v, ptrdiff_t count, float *to) {
    const float *from = (const float *)v;
    ptrdiff_t i = 0;
    if (count >= 8) {
        __builtin_memcpy(to, from, 8 * sizeof(float));
        i = 8;
    }
    for (; i + 4 <= count; i += 4) __builtin_memcpy(to + i, from + i, 4 * sizeof(float));
    for (; i < count; i++) to[i] = from[i];
}
