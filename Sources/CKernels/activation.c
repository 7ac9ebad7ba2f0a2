#include <math.h>

#include "clones.h"
#include "kernels.h"

static const float half_root = 0.70710678118654752f;     // 1 / sqrt(2)
static const float normal_density = 0.39894228040143268f;  // 1 / sqrt(2 pi)

CLONES void fathom_activate(fathom_activation kind, const float *x, ptrdiff_t count, float *y) {
    switch (kind) {
    case FATHOM_RELU:
        // Written so that NaN stays NaN.
        for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] < 0 ? 0 : x[i];
        break;
    case FATHOM_RELU6:
        for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i] < 0 ? 0 : (x[i] > 6 ? 6 : x[i]);
        break;
    case FATHOM_GELU:
        for (ptrdiff_t i = 0; i < count; i++) y[i] = 0.5f * x[i] * (1 + erff(x[i] * half_root));
        break;
    case FATHOM_SIGMOID:
        for (ptrdiff_t i = 0; i < count; i++) y[i] = 1 / (1 + expf(-x[i]));
        break;
    case FATHOM_TANH:
        for (ptrdiff_t i = 0; i < count; i++) y[i] = tanhf(x[i]);
        break;
    }
}

CLONES void fathom_activate_gradient(fathom_activation kind, const float *x, const float *y,
                                     const float *dy, ptrdiff_t count, float *dx) {
    switch (kind) {
    case FATHOM_RELU:
        for (ptrdiff_t i = 0; i < count; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
        break;
    case FATHOM_RELU6:
        for (ptrdiff_t i = 0; i < count; i++) dx[i] = x[i] > 0 && x[i] < 6 ? dy[i] : 0;
        break;
    case FATHOM_GELU:
        for (ptrdiff_t i = 0; i < count; i++) {
            const float share = 0.5f * (1 + erff(x[i] * half_root));
            dx[i] = dy[i] * (share + x[i] * normal_density * expf(-0.5f * x[i] * x[i]));
        }
        break;
    case FATHOM_SIGMOID:
        for (ptrdiff_t i = 0; i < count; i++) dx[i] = dy[i] * y[i] * (1 - y[i]);
        break;
    case FATHOM_TANH:
        for (ptrdiff_t i = 0; i < count; i++) dx[i] = dy[i] * (1 - y[i] * y[i]);
        break;
    }
}
