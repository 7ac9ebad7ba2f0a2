#include "clones.h"
#include "kernels.h"
#include "product.h"

/// The outputs o whose input place o * stride + offset lies in 0..<size: *low..<*high.
INLINE void valid_range(ptrdiff_t offset, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t outputs,
                        ptrdiff_t *low, ptrdiff_t *high) {
    ptrdiff_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    ptrdiff_t end = size - offset <= 0 ? 0 : (size - offset + stride - 1) / stride;
    *high = end < outputs ? end : outputs;
    *low = first < *high ? first : *high;
}

CLONES static void add_columns(const float *columns, ptrdiff_t channels, ptrdiff_t images,
                               ptrdiff_t first, ptrdiff_t count, fathom_window w, float *dx) {
    const ptrdiff_t plane = w.height * w.width, out_plane = w.out_height * w.out_width;
    for (ptrdiff_t c = 0; c < channels; c++) {
        float *cleared = dx + (c * images + first) * plane;
        for (ptrdiff_t i = 0; i < count * plane; i++) cleared[i] = 0;
        for (ptrdiff_t ky = 0; ky < w.kernel; ky++) {
            for (ptrdiff_t kx = 0; kx < w.kernel; kx++) {
                ptrdiff_t left, right;
                valid_range(kx - w.padding, w.stride, w.width, w.out_width, &left, &right);
                for (ptrdiff_t n = 0; n < count; n++) {
                    float *target = dx + (c * images + first + n) * plane;
                    const float *row = columns + n * out_plane;
                    for (ptrdiff_t oy = 0; oy < w.out_height; oy++, row += w.out_width) {
                        const ptrdiff_t iy = oy * w.stride + ky - w.padding;
                        if (iy < 0 || iy >= w.height) continue;
                        float *to = target + iy * w.width + kx - w.padding;
                        for (ptrdiff_t ox = left; ox < right; ox++) to[ox * w.stride] += row[ox];
                    }
                }
                columns += count * out_plane;
            }
        }
    }
}

void fathom_col2im(const float *columns, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t first,
                   ptrdiff_t count, fathom_window w, float *dx) {
    if (fathom_rolls_rows(w)) {
        fathom_roll_rows(columns, channels, images, first, count, w, dx);
    } else {
        add_columns(columns, channels, images, first, count, w, dx);
    }
}

CLONES void fathom_depthwise(const float *x, const float *weight, ptrdiff_t channels,
                             ptrdiff_t images, fathom_window w, float *y) {
    const ptrdiff_t plane = w.height * w.width, out_plane = w.out_height * w.out_width;
    for (ptrdiff_t c = 0; c < channels; c++) {
        const float *taps = weight + c * w.kernel * w.kernel;
        for (ptrdiff_t n = 0; n < images; n++) {
            const float *source = x + (c * images + n) * plane;
            float *target = y + (c * images + n) * out_plane;
            for (ptrdiff_t oy = 0; oy < w.out_height; oy++) {
                float *row = target + oy * w.out_width;
                for (ptrdiff_t ox = 0; ox < w.out_width; ox++) row[ox] = 0;
                for (ptrdiff_t ky = 0; ky < w.kernel; ky++) {
                    const ptrdiff_t iy = oy * w.stride + ky - w.padding;
                    if (iy < 0 || iy >= w.height) continue;
                    for (ptrdiff_t kx = 0; kx < w.kernel; kx++) {
                        ptrdiff_t left, right;
                        valid_range(kx - w.padding, w.stride, w.width, w.out_width, &left, &right);
                        const float tap = taps[ky * w.kernel + kx];
                        const float *from = source + iy * w.width + kx - w.padding;
                        if (w.stride == 1) {
                            for (ptrdiff_t ox = left; ox < right; ox++) row[ox] += tap * from[ox];
                        } else {
                            for (ptrdiff_t ox = left; ox < right; ox++) {
                                row[ox] += tap * from[ox * w.stride];
                            }
                        }
                    }
                }
            }
        }
    }
}

CLONES void fathom_depthwise_input_gradient(const float *dy, const float *weight,
                                            ptrdiff_t channels, ptrdiff_t images, fathom_window w,
                                            float *dx) {
    const ptrdiff_t plane = w.height * w.width, out_plane = w.out_height * w.out_width;
    for (ptrdiff_t i = 0; i < channels * images * plane; i++) dx[i] = 0;
    for (ptrdiff_t c = 0; c < channels; c++) {
        const float *taps = weight + c * w.kernel * w.kernel;
        for (ptrdiff_t n = 0; n < images; n++) {
            float *target = dx + (c * images + n) * plane;
            const float *source = dy + (c * images + n) * out_plane;
            for (ptrdiff_t oy = 0; oy < w.out_height; oy++) {
                const float *row = source + oy * w.out_width;
                for (ptrdiff_t ky = 0; ky < w.kernel; ky++) {
                    const ptrdiff_t iy = oy * w.stride + ky - w.padding;
                    if (iy < 0 || iy >= w.height) continue;
                    for (ptrdiff_t kx = 0; kx < w.kernel; kx++) {
                        ptrdiff_t left, right;
                        valid_range(kx - w.padding, w.stride, w.width, w.out_width, &left, &right);
                        const float tap = taps[ky * w.kernel + kx];
                        float *to = target + iy * w.width + kx - w.padding;
                        if (w.stride == 1) {
                            for (ptrdiff_t ox = left; ox < right; ox++) to[ox] += tap * row[ox];
                        } else {
                            for (ptrdiff_t ox = left; ox < right; ox++) {
                                to[ox * w.stride] += tap * row[ox];
                            }
                        }
                    }
                }
            }
        }
    }
}

CLONES void fathom_depthwise_weight_gradient(const float *x, const float *dy, ptrdiff_t channels,
                                             ptrdiff_t images, fathom_window w, float *dweight) {
    const ptrdiff_t plane = w.height * w.width, out_plane = w.out_height * w.out_width;
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t ky = 0; ky < w.kernel; ky++) {
            for (ptrdiff_t kx = 0; kx < w.kernel; kx++) {
                ptrdiff_t left, right;
                valid_range(kx - w.padding, w.stride, w.width, w.out_width, &left, &right);
                double total = 0;
                for (ptrdiff_t n = 0; n < images; n++) {
                    const float *source = x + (c * images + n) * plane;
                    const float *gradient = dy + (c * images + n) * out_plane;
                    for (ptrdiff_t oy = 0; oy < w.out_height; oy++) {
                        const ptrdiff_t iy = oy * w.stride + ky - w.padding;
                        if (iy < 0 || iy >= w.height) continue;
                        const float *from = source + iy * w.width + kx - w.padding;
                        const float *row = gradient + oy * w.out_width;
                        double lanes[LANES] = {0};
                        ptrdiff_t ox = left;
                        for (; ox + LANES <= right; ox += LANES) {
                            for (int l = 0; l < LANES; l++) {
                                lanes[l] += (double)row[ox + l] * from[(ox + l) * w.stride];
                            }
                        }
                        for (; ox < right; ox++) lanes[0] += (double)row[ox] * from[ox * w.stride];
                        total += lanes_total(lanes);
                    }
                }
                dweight[(c * w.kernel + ky) * w.kernel + kx] = (float)total;
            }
        }
    }
}

CLONES void fathom_scatter2x2(const float *blocks, ptrdiff_t channels, ptrdiff_t images,
                              ptrdiff_t height, ptrdiff_t width, float *y) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t corner = 0; corner < 4; corner++) {
            const float *from = blocks + (c * 4 + corner) * images * height * width;
            for (ptrdiff_t r = 0; r < images * height; r++) {
                float *row = y + ((c * images * height + r) * 2 + corner / 2) * 2 * width;
                for (ptrdiff_t i = 0; i < width; i++) row[2 * i + corner % 2] = from[r * width + i];
            }
        }
    }
}

CLONES void fathom_gather2x2(const float *y, ptrdiff_t channels, ptrdiff_t images,
                             ptrdiff_t height, ptrdiff_t width, float *blocks) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t corner = 0; corner < 4; corner++) {
            float *to = blocks + (c * 4 + corner) * images * height * width;
            for (ptrdiff_t r = 0; r < images * height; r++) {
                const float *row = y + ((c * images * height + r) * 2 + corner / 2) * 2 * width;
                for (ptrdiff_t i = 0; i < width; i++) to[r * width + i] = row[2 * i + corner % 2];
            }
        }
    }
}
