// Convolutions of few channels and stride 1, where unrolling windows costs as much as multiplying
// them: rows of the padded planes are read where they lie, as many outputs at a time as the
// registers hold.
#include "product.h"

/// Where numbers lie: steps from one channel, image or row to the next.
typedef struct {
    ptrdiff_t channels, outputs, kernel;
    ptrdiff_t channel, image, width;
    /// From one output's planes to the next, in y or dy.
    ptrdiff_t output, out_height, out_width;
} fathom_direct;

/// The largest kernel whose windows are rolled back a row at a time.
enum { ROLL_KERNEL_MAX = 16 };

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#define PATH avx512
#define LANES_ON_PATH 16
#define DIRECT_ROWS 2
#define DIRECT_VECTORS 2
#define FUSED 1
#include "direct_path.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define PATH avx2
#define LANES_ON_PATH 8
#define DIRECT_ROWS 1
#define DIRECT_VECTORS 1
#define FUSED 1
#include "direct_path.h"
#pragma clang attribute pop
#endif

#define PATH plain
#define LANES_ON_PATH 4
#define DIRECT_ROWS 1
#define DIRECT_VECTORS 1
#if defined(__aarch64__)
#define FUSED 1
#else
#define FUSED 0
#endif
#include "direct_path.h"

/// Few channels, enough taps to pay for the start of a block, little of a vector wasted at the end
/// of a row; outputs in blocks of eight, or six at the end.
int fathom_direct_serves(ptrdiff_t outputs, ptrdiff_t channels, fathom_window w) {
    const ptrdiff_t taps = channels * w.kernel * w.kernel;
    return w.stride == 1 && channels <= 4 && taps >= 25 && taps <= 100 && w.out_width >= 12 &&
           (outputs % 8 == 0 || outputs % 8 == 6);
}

int fathom_direct_gradient_serves(ptrdiff_t outputs, ptrdiff_t channels, fathom_window w) {
    if (w.stride != 1 || channels > 4 || w.out_width < 12) return 0;
    return w.kernel == 5 ? outputs % 6 == 0 : w.kernel == 3 && channels == 1 && outputs % 8 == 0;
}

int fathom_rolls_rows(fathom_window w) { return w.stride == 1 && w.kernel <= ROLL_KERNEL_MAX; }

void fathom_roll_rows(const float *columns, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t first,
                      ptrdiff_t count, fathom_window w, float *dx) {
    switch (fathom_chosen_path()) {
#if defined(__x86_64__)
    case FATHOM_AVX512: roll_avx512(columns, channels, images, first, count, w, dx); break;
    case FATHOM_AVX2: roll_avx2(columns, channels, images, first, count, w, dx); break;
#endif
    default: roll_plain(columns, channels, images, first, count, w, dx); break;
    }
}

static fathom_direct layout(ptrdiff_t outputs, ptrdiff_t channels, ptrdiff_t images,
                            ptrdiff_t slice, fathom_window w) {
    const ptrdiff_t height = w.height + 2 * w.padding, width = w.width + 2 * w.padding;
    return (fathom_direct){
        .channels = channels,
        .outputs = outputs,
        .kernel = w.kernel,
        .channel = slice * height * width,
        .image = height * width,
        .width = width,
        .output = images * w.out_height * w.out_width,
        .out_height = w.out_height,
        .out_width = w.out_width,
    };
}

static void image(const float *planes, const fathom_direct *d, const float *weights, float *y) {
    switch (fathom_chosen_path()) {
#if defined(__x86_64__)
    case FATHOM_AVX512: direct_image_avx512(planes, d, weights, y); break;
    case FATHOM_AVX2: direct_image_avx2(planes, d, weights, y); break;
#endif
    default: direct_image_plain(planes, d, weights, y); break;
    }
}

static void gradient(const float *planes, const float *dy, const fathom_direct *d,
                     ptrdiff_t images, double *totals) {
    switch (fathom_chosen_path()) {
#if defined(__x86_64__)
    case FATHOM_AVX512: direct_gradient_avx512(planes, dy, d, images, totals); break;
    case FATHOM_AVX2: direct_gradient_avx2(planes, dy, d, images, totals); break;
#endif
    default: direct_gradient_plain(planes, dy, d, images, totals); break;
    }
}

void fathom_direct_convolve(const float *x, const float *weight, ptrdiff_t outputs,
                            ptrdiff_t channels, ptrdiff_t images, fathom_window w,
                            fathom_finish finish, float *y) {
    const ptrdiff_t taps = channels * w.kernel * w.kernel, out_plane = w.out_height * w.out_width;
    // Eight outputs beside each other, [outputs / 8][taps][8].
    float *weights =
        fathom_working_memory(FATHOM_WEIGHT_MEMORY, (size_t)((outputs + 7) / 8 * taps * 8));
    for (ptrdiff_t o = 0; o < (outputs + 7) / 8 * 8; o++) {
        for (ptrdiff_t t = 0; t < taps; t++) {
            weights[(o / 8 * taps + t) * 8 + o % 8] = o < outputs ? weight[o * taps + t] : 0;
        }
    }
    enum { SLICE = 8 };
    for (ptrdiff_t first = 0; first < images; first += SLICE) {
        const ptrdiff_t count = images - first < SLICE ? images - first : SLICE;
        const fathom_direct d = layout(outputs, channels, images, count, w);
        const float *planes = fathom_padded_planes(x, channels, images, first, count, w);
        for (ptrdiff_t n = 0; n < count; n++) {
            image(planes + n * d.image, &d, weights, y + (first + n) * out_plane);
        }
        fathom_finish_rows(finish, outputs, first * out_plane, count * out_plane,
                           images * out_plane, y);
    }
}

void fathom_direct_weight_gradient(const float *x, const float *dy, ptrdiff_t outputs,
                                   ptrdiff_t channels, ptrdiff_t images, fathom_window w,
                                   float *dweight) {
    const ptrdiff_t taps = channels * w.kernel * w.kernel, out_plane = w.out_height * w.out_width;
    double *totals = (double *)fathom_working_memory(FATHOM_WEIGHT_MEMORY,
                                                     (size_t)(outputs * taps * 2));
    for (ptrdiff_t i = 0; i < outputs * taps; i++) totals[i] = 0;
    // Chains of float sums are a few hundred terms long, then go on in double.
    const ptrdiff_t slice = w.out_height < 256 ? 256 / w.out_height : 1;
    for (ptrdiff_t first = 0; first < images; first += slice) {
        const ptrdiff_t count = images - first < slice ? images - first : slice;
        const fathom_direct d = layout(outputs, channels, images, count, w);
        const float *planes = fathom_padded_planes(x, channels, images, first, count, w);
        gradient(planes, dy + first * out_plane, &d, count, totals);
    }
    for (ptrdiff_t i = 0; i < outputs * taps; i++) dweight[i] = (float)totals[i];
}
