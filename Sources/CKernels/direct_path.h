// Convolutions of few channels on one path: see direct.c.

#include "vectors_path.h"

/// `rows` rows and `vectors` sixteens of `outs` outputs; `weights` is [taps][8]. Each output is one
/// chain over channels and taps.
PATH_INLINE void ON_PATH(direct_block)(const float *planes, const fathom_direct *d,
                                       const float *weights, float *y, ptrdiff_t rows_there,
                                       ptrdiff_t columns_there, const int outs, const int rows,
                                       const int vectors) {
    SIXTEEN sums[8][2][2];
    UNROLLED for (int o = 0; o < outs; o++) {
        UNROLLED for (int r = 0; r < rows; r++) {
            UNROLLED for (int v = 0; v < vectors; v++) sums[o][r][v] = (SIXTEEN){0};
        }
    }
    for (ptrdiff_t c = 0; c < d->channels; c++, planes += d->channel) {
        for (ptrdiff_t ky = 0; ky < d->kernel; ky++) {
            const float *line = planes + ky * d->width;
            for (ptrdiff_t kx = 0; kx < d->kernel; kx++, weights += 8) {
                SIXTEEN x[2][2];
                UNROLLED for (int r = 0; r < rows; r++) {
                    UNROLLED for (int v = 0; v < vectors; v++) {
                        x[r][v] = LOAD16(line + r * d->width + kx + v * 16);
                    }
                }
                UNROLLED for (int o = 0; o < outs; o++) {
                    const SIXTEEN w = SPLAT(weights[o]);
                    UNROLLED for (int r = 0; r < rows; r++) {
                        UNROLLED for (int v = 0; v < vectors; v++) {
                            sums[o][r][v] = MULTIPLY_ADD(w, x[r][v], sums[o][r][v]);
                        }
                    }
                }
            }
        }
    }
    UNROLLED for (int o = 0; o < outs; o++) {
        UNROLLED for (int r = 0; r < rows; r++) {
            if (r >= rows_there) continue;
            UNROLLED for (int v = 0; v < vectors; v++) {
                const ptrdiff_t there = columns_there - v * 16;
                float *to = y + o * d->output + r * d->out_width + v * 16;
                if (there >= 16) {
                    STORE16(sums[o][r][v], to);
                } else if (there > 0) {
                    const SIXTEEN last = sums[o][r][v];
                    ON_PATH(store_part)(&last, there, to);
                }
            }
        }
    }
}

/// One image's planes, all outputs, eight at a time and six at the end; `weights` is
/// [outputs / 8][taps][8].
static void ON_PATH(direct_image)(const float *planes, const fathom_direct *d,
                                  const float *weights, float *y) {
    const ptrdiff_t taps = d->channels * d->kernel * d->kernel;
    const ptrdiff_t step = DIRECT_VECTORS * 16;
    for (ptrdiff_t o = 0; o < d->outputs; o += 8, weights += taps * 8) {
        const ptrdiff_t outs = d->outputs - o < 8 ? d->outputs - o : 8;
        const ptrdiff_t rows = outs == 8 ? 1 : DIRECT_ROWS;
        for (ptrdiff_t row = 0; row < d->out_height; row += rows) {
            for (ptrdiff_t column = 0; column < d->out_width; column += step) {
                const float *from = planes + row * d->width + column;
                float *to = y + o * d->output + row * d->out_width + column;
                const ptrdiff_t down = d->out_height - row, across = d->out_width - column;
                if (outs == 8) {
                    ON_PATH(direct_block)(from, d, weights, to, down, across, 8, 1, DIRECT_VECTORS);
                } else {
                    ON_PATH(direct_block)(from, d, weights, to, down, across, 6, DIRECT_ROWS,
                                          DIRECT_VECTORS);
                }
            }
        }
    }
}

/// Adds the products of `outs` rows of output gradients with `across` neighbouring taps' inputs,
/// over `images` images, to `totals`, [outs][across] numbers `total` and 1 apart.
PATH_INLINE void ON_PATH(direct_taps)(const float *planes, const float *dy,
                                      const fathom_direct *d, ptrdiff_t images, double *totals,
                                      ptrdiff_t total, const int outs, const int across) {
    SIXTEEN sums[8][5];
    UNROLLED for (int o = 0; o < outs; o++) {
        UNROLLED for (int k = 0; k < across; k++) sums[o][k] = (SIXTEEN){0};
    }
    BITS16 place;
    for (int i = 0; i < 16; i++) place[i] = i;
    for (ptrdiff_t n = 0; n < images; n++) {
        for (ptrdiff_t row = 0; row < d->out_height; row++) {
            const float *x = planes + n * d->image + row * d->width;
            const float *g = dy + (n * d->out_height + row) * d->out_width;
            for (ptrdiff_t column = 0; column < d->out_width; column += 16) {
                const ptrdiff_t there = d->out_width - column;
                // What lies beyond the row is read and does not count.
                const BITS16 counts = place < (int)(there < 16 ? there : 16);
                UNROLLED for (int o = 0; o < outs; o++) {
                    const SIXTEEN slope =
                        (SIXTEEN)((BITS16)LOAD16(g + o * d->output + column) & counts);
                    UNROLLED for (int k = 0; k < across; k++) {
                        sums[o][k] = MULTIPLY_ADD(slope, LOAD16(x + column + k), sums[o][k]);
                    }
                }
            }
        }
    }
    UNROLLED for (int o = 0; o < outs; o++) {
        UNROLLED for (int k = 0; k < across; k++) {
            const SIXTEEN lanes = sums[o][k];
            double sum = 0;
            for (int i = 0; i < 16; i++) sum += (double)((const float *)&lanes)[i];
            totals[o * total + k] += sum;
        }
    }
}

/// Adds `images` images' weight gradient to `totals`, laid out as the weight.
static void ON_PATH(direct_gradient)(const float *planes, const float *dy, const fathom_direct *d,
                                     ptrdiff_t images, double *totals) {
    const ptrdiff_t taps = d->channels * d->kernel * d->kernel;
    const ptrdiff_t outs = d->kernel == 3 ? 8 : 6;
    for (ptrdiff_t o = 0; o < d->outputs; o += outs) {
        for (ptrdiff_t c = 0; c < d->channels; c++) {
            for (ptrdiff_t ky = 0; ky < d->kernel; ky++) {
                const float *x = planes + c * d->channel + ky * d->width;
                const float *g = dy + o * d->output;
                double *to = totals + o * taps + (c * d->kernel + ky) * d->kernel;
                if (outs == 8) {
                    ON_PATH(direct_taps)(x, g, d, images, to, taps, 8, 3);
                } else {
                    ON_PATH(direct_taps)(x, g, d, images, to, taps, 6, 5);
                }
            }
        }
    }
}

/// The adjoint of unrolling windows of stride 1: each place sums what its windows hold of it.
static void ON_PATH(roll)(const float *columns, ptrdiff_t channels, ptrdiff_t images,
                          ptrdiff_t first, ptrdiff_t count, fathom_window w, float *dx) {
    const ptrdiff_t out_plane = w.out_height * w.out_width, size = count * out_plane;
    BITS16 place, counts[ROLL_KERNEL_MAX];
    for (int i = 0; i < 16; i++) place[i] = i;
    for (ptrdiff_t column = 0; column < w.width; column += 16) {
        for (ptrdiff_t kx = 0; kx < w.kernel; kx++) {
            const int shift = (int)(column + w.padding - kx), end = (int)w.out_width;
            counts[kx] = (place + shift >= 0) & (place + shift < end);
        }
        const ptrdiff_t there = w.width - column;
        for (ptrdiff_t c = 0; c < channels; c++) {
            for (ptrdiff_t n = 0; n < count; n++) {
                float *to = dx + ((c * images + first + n) * w.height) * w.width + column;
                for (ptrdiff_t y = 0; y < w.height; y++, to += w.width) {
                    SIXTEEN sum = {0};
                    for (ptrdiff_t ky = 0; ky < w.kernel; ky++) {
                        const ptrdiff_t oy = y + w.padding - ky;
                        if (oy < 0 || oy >= w.out_height) continue;
                        const float *from = columns + (c * w.kernel + ky) * w.kernel * size +
                                            n * out_plane + oy * w.out_width + column + w.padding;
                        for (ptrdiff_t kx = 0; kx < w.kernel; kx++, from += size - 1) {
                            sum += (SIXTEEN)((BITS16)LOAD16(from) & counts[kx]);
                        }
                    }
                    if (there >= 16) {
                        STORE16(sum, to);
                    } else {
                        const SIXTEEN last = sum;
                        ON_PATH(store_part)(&last, there, to);
                    }
                }
            }
        }
    }
}

#include "forget_path.h"
