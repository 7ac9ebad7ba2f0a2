#include <math.h>

#include "clones.h"
#include "kernels.h"

INLINE double sum(const float *x, ptrdiff_t count) {
    double lanes[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int l = 0; l < LANES; l++) lanes[l] += (double)x[i + l];
    }
    for (; i < count; i++) lanes[0] += (double)x[i];
    return lanes_total(lanes);
}

INLINE double centred_squares(const float *x, double centre, ptrdiff_t count) {
    double lanes[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int l = 0; l < LANES; l++) {
            const double d = (double)x[i + l] - centre;
            lanes[l] += d * d;
        }
    }
    for (; i < count; i++) lanes[0] += ((double)x[i] - centre) * ((double)x[i] - centre);
    return lanes_total(lanes);
}

/// The sum of dy * (x - centre).
INLINE double centred_product(const float *dy, const float *x, double centre, ptrdiff_t count) {
    double lanes[LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int l = 0; l < LANES; l++) lanes[l] += (double)dy[i + l] * ((double)x[i + l] - centre);
    }
    for (; i < count; i++) lanes[0] += (double)dy[i] * ((double)x[i] - centre);
    return lanes_total(lanes);
}

CLONES void fathom_batchnorm_train(const float *x, const float *gain, const float *bias,
                                   ptrdiff_t channels, ptrdiff_t count, float stabilizer,
                                   float momentum, float *running_mean, float *running_variance,
                                   float *mean, float *inverse, float *y) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        const float *from = x + c * count;
        float *to = y + c * count;
        const double centre = sum(from, count) / (double)count;
        const double squares = centred_squares(from, centre, count);
        const double unbiased = squares / (double)(count > 1 ? count - 1 : 1);
        mean[c] = (float)centre;
        inverse[c] = (float)(1 / sqrt(squares / (double)count + (double)stabilizer));
        running_mean[c] += momentum * ((float)centre - running_mean[c]);
        running_variance[c] += momentum * ((float)unbiased - running_variance[c]);
        const float slope = gain[c] * inverse[c], shift = bias[c] - mean[c] * slope;
        for (ptrdiff_t i = 0; i < count; i++) to[i] = from[i] * slope + shift;
    }
}

CLONES void fathom_batchnorm_eval(const float *x, const float *gain, const float *bias,
                                  const float *running_mean, const float *running_variance,
                                  ptrdiff_t channels, ptrdiff_t count, float stabilizer,
                                  float *mean, float *inverse, float *y) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        const float *from = x + c * count;
        float *to = y + c * count;
        mean[c] = running_mean[c];
        inverse[c] = (float)(1 / sqrt((double)running_variance[c] + (double)stabilizer));
        const float slope = gain[c] * inverse[c], shift = bias[c] - mean[c] * slope;
        for (ptrdiff_t i = 0; i < count; i++) to[i] = from[i] * slope + shift;
    }
}

CLONES void fathom_batchnorm_gradient(const float *x, const float *dy, const float *gain,
                                      const float *mean, const float *inverse, ptrdiff_t channels,
                                      ptrdiff_t count, int train, float *dx, float *dgain,
                                      float *dbias) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        const float *from = x + c * count, *gradient = dy + c * count;
        double total = 0, product = 0;
        if (train || dgain) {
            total = sum(gradient, count);
            product = centred_product(gradient, from, (double)mean[c], count) * (double)inverse[c];
        }
        if (dgain) {
            dgain[c] = (float)product;
            dbias[c] = (float)total;
        }
        if (!dx) continue;
        float *to = dx + c * count;
        const float slope = gain[c] * inverse[c];
        if (!train) {
            for (ptrdiff_t i = 0; i < count; i++) to[i] = gradient[i] * slope;
            continue;
        }
        const float lift = (float)(product / (double)count) * inverse[c];
        const float level = (float)(total / (double)count), centre = mean[c];
        for (ptrdiff_t i = 0; i < count; i++) {
            to[i] = (gradient[i] - level - (from[i] - centre) * lift) * slope;
        }
    }
}

CLONES void fathom_layernorm(const float *x, const float *gain, const float *bias, ptrdiff_t rows,
                             ptrdiff_t columns, float stabilizer, float *mean, float *inverse,
                             float *y) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *from = x + r * columns;
        float *to = y + r * columns;
        const double centre = sum(from, columns) / (double)columns;
        const double variance = centred_squares(from, centre, columns) / (double)columns;
        mean[r] = (float)centre;
        inverse[r] = (float)(1 / sqrt(variance + (double)stabilizer));
        for (ptrdiff_t i = 0; i < columns; i++) {
            to[i] = (from[i] - mean[r]) * inverse[r] * gain[i] + bias[i];
        }
    }
}

CLONES void fathom_layernorm_gradient(const float *x, const float *dy, const float *gain,
                                      const float *mean, const float *inverse, ptrdiff_t rows,
                                      ptrdiff_t columns, float *dx, float *dgain, float *dbias) {
    if (dgain) {
        for (ptrdiff_t i = 0; i < columns; i++) dgain[i] = dbias[i] = 0;
        for (ptrdiff_t r = 0; r < rows; r++) {
            const float *from = x + r * columns, *gradient = dy + r * columns;
            for (ptrdiff_t i = 0; i < columns; i++) {
                dgain[i] += gradient[i] * (from[i] - mean[r]) * inverse[r];
                dbias[i] += gradient[i];
            }
        }
    }
    if (!dx) return;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *from = x + r * columns, *gradient = dy + r * columns;
        float *to = dx + r * columns;
        double total = 0, product = 0;
        for (ptrdiff_t i = 0; i < columns; i++) {
            const double g = (double)gradient[i] * (double)gain[i];
            total += g;
            product += g * ((double)from[i] - (double)mean[r]);
        }
        const float level = (float)(total / (double)columns);
        const float lift =
            (float)(product / (double)columns * (double)inverse[r] * (double)inverse[r]);
        for (ptrdiff_t i = 0; i < columns; i++) {
            to[i] = (gradient[i] * gain[i] - level - (from[i] - mean[r]) * lift) * inverse[r];
        }
    }
}

CLONES void fathom_softmax_rows(const float *x, ptrdiff_t rows, ptrdiff_t columns, float *y) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *from = x + r * columns;
        float *to = y + r * columns;
        float top = from[0];
        for (ptrdiff_t i = 1; i < columns; i++) top = from[i] > top ? from[i] : top;
        double total = 0;
        for (ptrdiff_t i = 0; i < columns; i++) {
            to[i] = expf(from[i] - top);
            total += (double)to[i];
        }
        const float share = (float)(1 / total);
        for (ptrdiff_t i = 0; i < columns; i++) to[i] *= share;
    }
}

CLONES void fathom_softmax_rows_gradient(const float *y, const float *dy, ptrdiff_t rows,
                                         ptrdiff_t columns, float *dx) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *output = y + r * columns, *gradient = dy + r * columns;
        float *to = dx + r * columns;
        double product = 0;
        for (ptrdiff_t i = 0; i < columns; i++) product += (double)output[i] * (double)gradient[i];
        const float level = (float)product;
        for (ptrdiff_t i = 0; i < columns; i++) to[i] = output[i] * (gradient[i] - level);
    }
}
