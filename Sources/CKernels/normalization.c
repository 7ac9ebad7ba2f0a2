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

enum { MANY = 32 };

/// Many double sums side by side hide the time that an addition takes; added up in a fixed order.
INLINE double many_total(const double *lanes) {
    double few[LANES];
    for (int l = 0; l < LANES; l++) {
        few[l] = (lanes[l] + lanes[l + 8]) + (lanes[l + 16] + lanes[l + 24]);
    }
    return lanes_total(few);
}

/// The sums of x and of its squares, whose products are exact in double.
INLINE void sums_of_powers(const float *x, ptrdiff_t count, double *sum, double *squares) {
    double ones[MANY] = {0}, twos[MANY] = {0};
    ptrdiff_t i = 0;
    for (; i + MANY <= count; i += MANY) {
        for (int l = 0; l < MANY; l++) {
            const double v = (double)x[i + l];
            ones[l] += v;
            twos[l] += v * v;
        }
    }
    for (int l = 0; i < count; i++, l++) {
        const double v = (double)x[i];
        ones[l] += v;
        twos[l] += v * v;
    }
    *sum = many_total(ones);
    *squares = many_total(twos);
}

/// y = slope * x + shift, with the residual if any, rectified if so.
INLINE void normalized(const float *x, float slope, float shift, const float *residual,
                       int rectifies, ptrdiff_t count, float *y) {
    if (residual && rectifies) {
        for (ptrdiff_t i = 0; i < count; i++) {
            const float v = x[i] * slope + shift + residual[i];
            y[i] = v < 0 ? 0 : v;
        }
    } else if (residual) {
        for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] * slope + shift + residual[i];
    } else if (rectifies) {
        for (ptrdiff_t i = 0; i < count; i++) {
            const float v = x[i] * slope + shift;
            y[i] = v < 0 ? 0 : v;
        }
    } else {
        for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] * slope + shift;
    }
}

CLONES void fathom_batchnorm_train(const float *x, const float *gain, const float *bias,
                                   const float *residual, int rectifies, ptrdiff_t channels,
                                   ptrdiff_t count, float stabilizer, float momentum,
                                   float *running_mean, float *running_variance, float *mean,
                                   float *inverse, float *y) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        double total, powers;
        sums_of_powers(x + c * count, count, &total, &powers);
        const double centre = total / (double)count;
        const double above = powers - total * centre;
        // Rounding may leave a constant channel a little below zero.
        const double squares = above < 0 ? 0 : above;
        const double unbiased = squares / (double)(count > 1 ? count - 1 : 1);
        mean[c] = (float)centre;
        inverse[c] = (float)(1 / sqrt(squares / (double)count + (double)stabilizer));
        running_mean[c] += momentum * ((float)centre - running_mean[c]);
        running_variance[c] += momentum * ((float)unbiased - running_variance[c]);
        const float slope = gain[c] * inverse[c], shift = bias[c] - mean[c] * slope;
        normalized(x + c * count, slope, shift, residual ? residual + c * count : 0, rectifies,
                   count, y + c * count);
    }
}

CLONES void fathom_batchnorm_fold(const float *gain, const float *bias, const float *running_mean,
                                  const float *running_variance, ptrdiff_t channels,
                                  float stabilizer, float *mean, float *inverse, float *slope,
                                  float *shift) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        mean[c] = running_mean[c];
        inverse[c] = (float)(1 / sqrt((double)running_variance[c] + (double)stabilizer));
        slope[c] = gain[c] * inverse[c];
        shift[c] = bias[c] - mean[c] * slope[c];
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

/// The sums of dy and of dy * (x - centre), over what the rectifier let through.
INLINE void gradient_sums(const float *x, const float *y, const float *dy, double centre,
                          ptrdiff_t count, double *total, double *product) {
    double ones[MANY] = {0}, products[MANY] = {0};
    ptrdiff_t i = 0;
    for (; i + MANY <= count; i += MANY) {
        for (int l = 0; l < MANY; l++) {
            // Read before it is chosen: a read under a condition would become a jump.
            const float gradient = dy[i + l];
            const float passed = !y || y[i + l] > 0 ? gradient : 0;
            ones[l] += (double)passed;
            products[l] += (double)passed * ((double)x[i + l] - centre);
        }
    }
    for (int l = 0; i < count; i++, l++) {
        const float passed = !y || y[i] > 0 ? dy[i] : 0;
        ones[l] += (double)passed;
        products[l] += (double)passed * ((double)x[i] - centre);
    }
    *total = many_total(ones);
    *product = many_total(products);
}

/// What goes back through a rectifier (where `y`), a factor or a normalization, at every place.
/// Pointers that may be missing are told by constants: a store that a mask suppresses at address
/// zero costs hundreds of cycles.
INLINE void spread_gradient(const float *x, const float *y, const float *dy, float centre,
                            float level, float lift, float slope, int train, ptrdiff_t count,
                            float *dx, float *passed) {
    // What is read and written in one place is of one index.
    _Pragma("clang loop vectorize(assume_safety)")
    for (ptrdiff_t i = 0; i < count; i++) {
        const float gradient = dy[i];
        const float v = !y || y[i] > 0 ? gradient : 0;
        if (passed) passed[i] = v;
        if (dx) dx[i] = train ? (v - level - (x[i] - centre) * lift) * slope : v * slope;
    }
}

/// `spread_gradient` with the choices made outside of the loop.
INLINE void spread_gradient_chosen(const float *x, const float *y, const float *dy, float centre,
                                   float level, float lift, float slope, int train,
                                   ptrdiff_t count, float *dx, float *passed) {
#define SPREAD(y, dx, passed) \
    spread_gradient(x, y, dy, centre, level, lift, slope, train, count, dx, passed)
    if (y && dx && passed) {
        SPREAD(y, dx, passed);
    } else if (y && dx) {
        SPREAD(y, dx, 0);
    } else if (y && passed) {
        SPREAD(y, 0, passed);
    } else if (dx && passed) {
        SPREAD(0, dx, passed);
    } else if (dx) {
        SPREAD(0, dx, 0);
    } else if (passed) {
        SPREAD(0, 0, passed);
    }
#undef SPREAD
}

CLONES void fathom_finish_gradient(const float *y, const float *dy, const float *slope,
                                   ptrdiff_t channels, ptrdiff_t count, float *dx, float *passed) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        spread_gradient_chosen(0, y ? y + c * count : 0, dy + c * count, 0, 0, 0,
                               slope ? slope[c] : 1, 0, count, dx ? dx + c * count : 0,
                               passed ? passed + c * count : 0);
    }
}

CLONES void fathom_batchnorm_gradient(const float *x, const float *y, const float *dy,
                                      const float *gain, const float *mean, const float *inverse,
                                      ptrdiff_t channels, ptrdiff_t count, int train, float *dx,
                                      float *dgain, float *dbias, float *passed) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        const float *from = x + c * count, *gradient = dy + c * count;
        const float *result = y ? y + c * count : 0;
        float *through = passed ? passed + c * count : 0;
        double total = 0, product = 0;
        if (train || dgain) {
            if (result) {
                gradient_sums(from, result, gradient, (double)mean[c], count, &total, &product);
            } else {
                gradient_sums(from, 0, gradient, (double)mean[c], count, &total, &product);
            }
            product *= (double)inverse[c];
        }
        if (dgain) {
            dgain[c] = (float)product;
            dbias[c] = (float)total;
        }
        if (!dx && !through) continue;
        float *to = dx ? dx + c * count : 0;
        const float slope = gain[c] * inverse[c];
        const float lift = train ? (float)(product / (double)count) * inverse[c] : 0;
        const float level = train ? (float)(total / (double)count) : 0, centre = mean[c];
        if (train) {
            spread_gradient_chosen(from, result, gradient, centre, level, lift, slope, 1, count, to,
                                   through);
        } else {
            spread_gradient_chosen(from, result, gradient, 0, 0, 0, slope, 0, count, to, through);
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
