#include <math.h>

#include "clones.h"
#include "kernels.h"

CLONES void fathom_add(const float *a, const float *b, ptrdiff_t count, float *y) {
    for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

CLONES void fathom_accumulate(const float *x, ptrdiff_t count, float *y) {
    for (ptrdiff_t i = 0; i < count; i++) y[i] += x[i];
}

CLONES void fathom_axpy(float factor, const float *x, ptrdiff_t count, float *y) {
    for (ptrdiff_t i = 0; i < count; i++) y[i] += factor * x[i];
}

CLONES void fathom_scale(float factor, ptrdiff_t count, float *y) {
    for (ptrdiff_t i = 0; i < count; i++) y[i] *= factor;
}

CLONES void fathom_multiply(const float *a, const float *b, ptrdiff_t count, float *y) {
    for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] * b[i];
}

CLONES void fathom_add_to_rows(const float *bias, ptrdiff_t rows, ptrdiff_t columns, float *y) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float b = bias[r];
        for (ptrdiff_t i = 0; i < columns; i++) y[r * columns + i] += b;
    }
}

CLONES void fathom_add_row(const float *bias, ptrdiff_t rows, ptrdiff_t columns, float *y) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        for (ptrdiff_t i = 0; i < columns; i++) y[r * columns + i] += bias[i];
    }
}

CLONES void fathom_row_sums(const float *x, ptrdiff_t rows, ptrdiff_t columns, float *sums) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *row = x + r * columns;
        double lanes[LANES] = {0};
        ptrdiff_t i = 0;
        for (; i + LANES <= columns; i += LANES) {
            for (int l = 0; l < LANES; l++) lanes[l] += (double)row[i + l];
        }
        for (; i < columns; i++) lanes[0] += (double)row[i];
        sums[r] = (float)lanes_total(lanes);
    }
}

CLONES void fathom_column_sums(const float *x, ptrdiff_t rows, ptrdiff_t columns, float *sums) {
    enum { BLOCK = 64 };
    double totals[BLOCK];
    for (ptrdiff_t start = 0; start < columns; start += BLOCK) {
        const ptrdiff_t width = columns - start < BLOCK ? columns - start : BLOCK;
        for (ptrdiff_t i = 0; i < width; i++) totals[i] = 0;
        for (ptrdiff_t r = 0; r < rows; r++) {
            const float *row = x + r * columns + start;
            for (ptrdiff_t i = 0; i < width; i++) totals[i] += (double)row[i];
        }
        for (ptrdiff_t i = 0; i < width; i++) sums[start + i] = (float)totals[i];
    }
}

CLONES double fathom_sum_of_squares(const float *x, ptrdiff_t count) {
    double lanes[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int l = 0; l < LANES; l++) lanes[l] += (double)x[i + l] * (double)x[i + l];
    }
    for (; i < count; i++) lanes[0] += (double)x[i] * (double)x[i];
    return lanes_total(lanes);
}

CLONES double fathom_squared_distance(const float *a, const float *b, ptrdiff_t count) {
    double lanes[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int l = 0; l < LANES; l++) {
            const double d = (double)a[i + l] - (double)b[i + l];
            lanes[l] += d * d;
        }
    }
    for (; i < count; i++) lanes[0] += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return lanes_total(lanes);
}

int fathom_all_finite(const float *x, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) return 0;
    }
    return 1;
}

CLONES void fathom_images_to_rows(const float *x, ptrdiff_t channels, ptrdiff_t images,
                                  ptrdiff_t plane, float *y) {
    for (ptrdiff_t n = 0; n < images; n++) {
        for (ptrdiff_t c = 0; c < channels; c++) {
            const float *from = x + (c * images + n) * plane;
            float *to = y + (n * channels + c) * plane;
            for (ptrdiff_t i = 0; i < plane; i++) to[i] = from[i];
        }
    }
}

CLONES void fathom_rows_to_images(const float *x, ptrdiff_t channels, ptrdiff_t images,
                                  ptrdiff_t plane, float *y) {
    for (ptrdiff_t n = 0; n < images; n++) {
        for (ptrdiff_t c = 0; c < channels; c++) {
            const float *from = x + (n * channels + c) * plane;
            float *to = y + (c * images + n) * plane;
            for (ptrdiff_t i = 0; i < plane; i++) to[i] = from[i];
        }
    }
}

CLONES void fathom_gate(const float *x, const float *gate, ptrdiff_t channels, ptrdiff_t images,
                        ptrdiff_t plane, float *y) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t n = 0; n < images; n++) {
            const float g = gate[n * channels + c];
            const ptrdiff_t at = (c * images + n) * plane;
            for (ptrdiff_t i = 0; i < plane; i++) y[at + i] = x[at + i] * g;
        }
    }
}

CLONES void fathom_gate_gradient(const float *x, const float *gate, const float *dy,
                                 ptrdiff_t channels, ptrdiff_t images, ptrdiff_t plane, float *dx,
                                 float *dgate) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t n = 0; n < images; n++) {
            const float g = gate[n * channels + c];
            const ptrdiff_t at = (c * images + n) * plane;
            double total = 0;
            for (ptrdiff_t i = 0; i < plane; i++) total += (double)dy[at + i] * (double)x[at + i];
            if (dgate) dgate[n * channels + c] = (float)total;
            if (!dx) continue;
            for (ptrdiff_t i = 0; i < plane; i++) dx[at + i] = dy[at + i] * g;
        }
    }
}

CLONES void fathom_sgd(float *p, const float *g, float *v, ptrdiff_t count, float rate,
                       float momentum, float decay, int nesterov, int first) {
    if (momentum == 0) {
        for (ptrdiff_t i = 0; i < count; i++) p[i] -= rate * (g[i] + decay * p[i]);
        return;
    }
    for (ptrdiff_t i = 0; i < count; i++) {
        const float gradient = g[i] + decay * p[i];
        v[i] = first ? gradient : momentum * v[i] + gradient;
        p[i] -= rate * (nesterov ? gradient + momentum * v[i] : v[i]);
    }
}

CLONES void fathom_adam(float *p, const float *g, float *m, float *v, ptrdiff_t count, float rate,
                        float beta1, float beta2, float stabilizer, float correction1,
                        float correction2, float decay, float decoupled) {
    const float step = rate / correction1, root = sqrtf(correction2);
    for (ptrdiff_t i = 0; i < count; i++) {
        p[i] -= rate * decoupled * p[i];
        const float gradient = g[i] + decay * p[i];
        m[i] = beta1 * m[i] + (1 - beta1) * gradient;
        v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
        p[i] -= step * m[i] / (sqrtf(v[i]) / root + stabilizer);
    }
}

void fathom_load_image(const uint8_t *pixels, ptrdiff_t channels, ptrdiff_t height, ptrdiff_t width,
                       ptrdiff_t dy, ptrdiff_t dx, int flip, ptrdiff_t channel_stride, float *y) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t row = 0; row < height; row++) {
            float *to = y + c * channel_stride + row * width;
            const ptrdiff_t from_row = row + dy;
            for (ptrdiff_t i = 0; i < width; i++) {
                const ptrdiff_t from = (flip ? width - 1 - i : i) + dx;
                const int inside = from_row >= 0 && from_row < height && from >= 0 && from < width;
                to[i] = inside
                            ? (float)pixels[(c * height + from_row) * width + from] / 255.0f
                            : 0;
            }
        }
    }
}

void fathom_load_numbers(const float *numbers, ptrdiff_t channels, ptrdiff_t height,
                         ptrdiff_t width, ptrdiff_t dy, ptrdiff_t dx, int flip,
                         ptrdiff_t channel_stride, float *y) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t row = 0; row < height; row++) {
            float *to = y + c * channel_stride + row * width;
            const ptrdiff_t from_row = row + dy;
            for (ptrdiff_t i = 0; i < width; i++) {
                const ptrdiff_t from = (flip ? width - 1 - i : i) + dx;
                const int inside = from_row >= 0 && from_row < height && from >= 0 && from < width;
                to[i] = inside ? numbers[(c * height + from_row) * width + from] : 0;
            }
        }
    }
}
