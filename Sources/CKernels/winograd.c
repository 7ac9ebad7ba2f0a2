#include "winograd.h"

/// A chain of products over channels has at most this many blocks of sixteen terms.
enum { CHAIN_PIECES = 16 };
/// Transformed tiles and their products at a time; rearranged planes at a time.
enum { RUN_FLOATS = 144 * 1024, PLANE_FLOATS = 96 * 1024 };

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#define PATH avx512
#define LANES_ON_PATH 16
#define TILE_HEIGHT 8
#define TILE_BLOCKS 2
#define FUSED 1
#include "winograd_path.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define PATH avx2
#define LANES_ON_PATH 8
#define TILE_HEIGHT 4
#define TILE_BLOCKS 1
#define FUSED 1
#include "winograd_path.h"
#pragma clang attribute pop
#endif

#define PATH plain
#define LANES_ON_PATH 4
#define TILE_HEIGHT 2
#define TILE_BLOCKS 1
#if defined(__aarch64__)
#define FUSED 1
#else
#define FUSED 0
#endif
#include "winograd_path.h"

static ptrdiff_t tiles_across(ptrdiff_t size) { return (size + SIDE - 1) / SIDE; }

int fathom_winograd_serves(ptrdiff_t outputs, ptrdiff_t channels, ptrdiff_t images,
                           fathom_window w) {
    if (w.kernel != 3 || w.stride != 1 || w.padding != 1) return 0;
    // Blocks that are mostly padding, weights that cost more to transform than they save, and
    // tiles that hang over win nothing.
    if (channels % WIDE > 0 && channels % WIDE < 12 && channels < 3 * WIDE) return 0;
    if (outputs % WIDE > 0 && outputs % WIDE < 12 && outputs < 3 * WIDE) return 0;
    if (images * w.height * w.width < 192) return 0;
    const ptrdiff_t tiles = tiles_across(w.height) * tiles_across(w.width);
    return 2 * tiles * POINTS <= w.height * w.width * 9;
}

static fathom_tiling tiling(ptrdiff_t outputs, ptrdiff_t inputs, ptrdiff_t images,
                            fathom_window w, int is_gradient) {
    fathom_tiling t = {
        .inputs = inputs,
        .outputs = outputs,
        .images = images,
        .height = w.height,
        .width = w.width,
        .input_blocks = (inputs + WIDE - 1) / WIDE,
        .output_blocks = (outputs + WIDE - 1) / WIDE,
        .tiles_down = tiles_across(w.height),
        .tiles_across = tiles_across(w.width),
    };
    t.padded_height = t.tiles_down * SIDE + 2;
    t.padded_width = t.tiles_across * SIDE + 2;
    // Runs of tiles: few enough for the second cache, enough to use every weight often.
    const ptrdiff_t blocks = t.input_blocks + t.output_blocks;
    const ptrdiff_t fitting = RUN_FLOATS / (POINTS * WIDE * blocks) / 8 * 8;
    const ptrdiff_t least = is_gradient || blocks > 8 ? 32 : 16;
    t.run = fitting < least ? least : fitting > 64 ? 64 : fitting;
    const ptrdiff_t each = t.tiles_down * t.tiles_across;
    const ptrdiff_t size = t.input_blocks * t.padded_height * t.padded_width * WIDE;
    const ptrdiff_t wanted = (t.run + each - 1) / each;
    t.slice = size > PLANE_FLOATS ? 1 : PLANE_FLOATS / size;
    if (t.slice < wanted) t.slice = wanted;
    if (t.slice > images) t.slice = images;
    return t;
}

static void convolve(const float *x, const float *weight, fathom_tiling t, fathom_weight_use use,
                     fathom_finish finish, float *y) {
    switch (fathom_chosen_path()) {
#if defined(__x86_64__)
    case FATHOM_AVX512: winograd_avx512(x, weight, &t, use, &finish, y); break;
    case FATHOM_AVX2: winograd_avx2(x, weight, &t, use, &finish, y); break;
#endif
    default: winograd_plain(x, weight, &t, use, &finish, y); break;
    }
}

void fathom_winograd(const float *x, const float *weight, ptrdiff_t outputs, ptrdiff_t channels,
                     ptrdiff_t images, fathom_window w, fathom_finish finish, float *y) {
    convolve(x, weight, tiling(outputs, channels, images, w, 0), FORWARD_WEIGHT, finish, y);
}

void fathom_winograd_input_gradient(const float *dy, const float *weight, ptrdiff_t outputs,
                                    ptrdiff_t channels, ptrdiff_t images, fathom_window w,
                                    float *dx) {
    convolve(dy, weight, tiling(channels, outputs, images, w, 0), TURNED_WEIGHT, (fathom_finish){0},
             dx);
}

void fathom_winograd_weight_gradient(const float *x, const float *dy, ptrdiff_t outputs,
                                     ptrdiff_t channels, ptrdiff_t images, fathom_window w,
                                     float *dweight) {
    const fathom_tiling t = tiling(outputs, channels, images, w, 1);
    switch (fathom_chosen_path()) {
#if defined(__x86_64__)
    case FATHOM_AVX512: winograd_weight_avx512(x, dy, &t, dweight); break;
    case FATHOM_AVX2: winograd_weight_avx2(x, dy, &t, dweight); break;
#endif
    default: winograd_weight_plain(x, dy, &t, dweight); break;
    }
}
