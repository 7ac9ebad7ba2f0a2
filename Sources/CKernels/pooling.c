#include <math.h>

#include "clones.h"
#include "kernels.h"

/// The usual case, 2x2 windows that do not overlap, without branches: the first of equals wins, and
/// NaN is chosen, as in the general loop.
INLINE void maxpool2x2(const float *x, ptrdiff_t planes, fathom_window w, float *y,
                       int32_t *chosen) {
    for (ptrdiff_t p = 0; p < planes; p++) {
        const float *source = x + p * w.height * w.width;
        for (ptrdiff_t oy = 0; oy < w.out_height; oy++) {
            const float *top = source + 2 * oy * w.width, *bottom = top + w.width;
            const int32_t place = (int32_t)(2 * oy * w.width);
            for (ptrdiff_t ox = 0; ox < w.out_width; ox++) {
                const float a = top[2 * ox], b = top[2 * ox + 1];
                const float c = bottom[2 * ox], d = bottom[2 * ox + 1];
                const int32_t left = place + (int32_t)(2 * ox), below = left + (int32_t)w.width;
                const int upper = (b > a) | (b != b), lower = (d > c) | (d != d);
                const float high = upper ? b : a, low = lower ? d : c;
                const int32_t high_place = upper ? left + 1 : left;
                const int32_t low_place = lower ? below + 1 : below;
                const int down = (low > high) | (low != low);
                y[ox] = down ? low : high;
                chosen[ox] = down ? low_place : high_place;
            }
            y += w.out_width;
            chosen += w.out_width;
        }
    }
}

CLONES void fathom_maxpool(const float *x, ptrdiff_t planes, fathom_window w, float *y,
                           int32_t *chosen) {
    if (w.kernel == 2 && w.stride == 2 && w.padding == 0) {
        maxpool2x2(x, planes, w, y, chosen);
        return;
    }
    for (ptrdiff_t p = 0; p < planes; p++) {
        const float *source = x + p * w.height * w.width;
        for (ptrdiff_t oy = 0; oy < w.out_height; oy++) {
            for (ptrdiff_t ox = 0; ox < w.out_width; ox++) {
                float best = -INFINITY;
                ptrdiff_t place = -1;
                for (ptrdiff_t ky = 0; ky < w.kernel; ky++) {
                    const ptrdiff_t iy = oy * w.stride + ky - w.padding;
                    if (iy < 0 || iy >= w.height) continue;
                    for (ptrdiff_t kx = 0; kx < w.kernel; kx++) {
                        const ptrdiff_t ix = ox * w.stride + kx - w.padding;
                        if (ix < 0 || ix >= w.width) continue;
                        const float v = source[iy * w.width + ix];
                        // NaN is chosen, so that it is seen at the loss.
                        if (place < 0 || v > best || isnan(v)) {
                            best = v;
                            place = iy * w.width + ix;
                        }
                    }
                }
                *y++ = best;
                *chosen++ = (int32_t)place;
            }
        }
    }
}

CLONES void fathom_maxpool_gradient(const float *dy, const int32_t *chosen, ptrdiff_t planes,
                                    fathom_window w, float *dx) {
    const ptrdiff_t plane = w.height * w.width, out_plane = w.out_height * w.out_width;
    for (ptrdiff_t i = 0; i < planes * plane; i++) dx[i] = 0;
    for (ptrdiff_t p = 0; p < planes; p++) {
        for (ptrdiff_t o = 0; o < out_plane; o++) dx[p * plane + chosen[o]] += dy[o];
        chosen += out_plane;
        dy += out_plane;
    }
}

CLONES void fathom_avgpool(const float *x, ptrdiff_t planes, fathom_window w, float *y) {
    const float share = 1.0f / (float)(w.kernel * w.kernel);
    for (ptrdiff_t p = 0; p < planes; p++) {
        const float *source = x + p * w.height * w.width;
        for (ptrdiff_t oy = 0; oy < w.out_height; oy++) {
            for (ptrdiff_t ox = 0; ox < w.out_width; ox++) {
                float total = 0;
                for (ptrdiff_t ky = 0; ky < w.kernel; ky++) {
                    const float *row = source + (oy * w.stride + ky) * w.width + ox * w.stride;
                    for (ptrdiff_t kx = 0; kx < w.kernel; kx++) total += row[kx];
                }
                *y++ = total * share;
            }
        }
    }
}

CLONES void fathom_avgpool_gradient(const float *dy, ptrdiff_t planes, fathom_window w, float *dx) {
    const ptrdiff_t plane = w.height * w.width;
    const float share = 1.0f / (float)(w.kernel * w.kernel);
    for (ptrdiff_t i = 0; i < planes * plane; i++) dx[i] = 0;
    for (ptrdiff_t p = 0; p < planes; p++) {
        float *target = dx + p * plane;
        for (ptrdiff_t oy = 0; oy < w.out_height; oy++) {
            for (ptrdiff_t ox = 0; ox < w.out_width; ox++) {
                const float g = *dy++ * share;
                for (ptrdiff_t ky = 0; ky < w.kernel; ky++) {
                    float *row = target + (oy * w.stride + ky) * w.width + ox * w.stride;
                    for (ptrdiff_t kx = 0; kx < w.kernel; kx++) row[kx] += g;
                }
            }
        }
    }
}

CLONES void fathom_global_average(const float *x, ptrdiff_t channels, ptrdiff_t images,
                                  ptrdiff_t plane, float *y) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t n = 0; n < images; n++) {
            const float *from = x + (c * images + n) * plane;
            double total = 0;
            for (ptrdiff_t i = 0; i < plane; i++) total += (double)from[i];
            y[n * channels + c] = (float)(total / (double)plane);
        }
    }
}

CLONES void fathom_global_average_gradient(const float *dy, ptrdiff_t channels, ptrdiff_t images,
                                           ptrdiff_t plane, float *dx) {
    const float share = 1.0f / (float)plane;
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t n = 0; n < images; n++) {
            const float g = dy[n * channels + c] * share;
            float *to = dx + (c * images + n) * plane;
            for (ptrdiff_t i = 0; i < plane; i++) to[i] = g;
        }
    }
}

CLONES void fathom_upsample_nearest(const float *x, ptrdiff_t planes, ptrdiff_t height,
                                    ptrdiff_t width, ptrdiff_t factor, float *y) {
    for (ptrdiff_t r = 0; r < planes * height; r++) {
        for (ptrdiff_t copy = 0; copy < factor; copy++) {
            for (ptrdiff_t i = 0; i < width * factor; i++) *y++ = x[r * width + i / factor];
        }
    }
}

CLONES void fathom_upsample_nearest_gradient(const float *dy, ptrdiff_t planes, ptrdiff_t height,
                                             ptrdiff_t width, ptrdiff_t factor, float *dx) {
    for (ptrdiff_t i = 0; i < planes * height * width; i++) dx[i] = 0;
    for (ptrdiff_t r = 0; r < planes * height; r++) {
        for (ptrdiff_t copy = 0; copy < factor; copy++) {
            for (ptrdiff_t i = 0; i < width * factor; i++) dx[r * width + i / factor] += *dy++;
        }
    }
}

/// Where output `o` lies between two inputs when corners are not aligned.
INLINE void between(ptrdiff_t o, ptrdiff_t factor, ptrdiff_t size, ptrdiff_t *low, ptrdiff_t *high,
                    float *share) {
    float place = ((float)o + 0.5f) / (float)factor - 0.5f;
    if (place < 0) place = 0;
    *low = (ptrdiff_t)place;
    *high = *low + 1 < size ? *low + 1 : size - 1;
    *share = place - (float)*low;
}

CLONES void fathom_upsample_bilinear(const float *x, ptrdiff_t planes, ptrdiff_t height,
                                     ptrdiff_t width, ptrdiff_t factor, float *y) {
    for (ptrdiff_t p = 0; p < planes; p++) {
        const float *source = x + p * height * width;
        for (ptrdiff_t oy = 0; oy < height * factor; oy++) {
            ptrdiff_t top, bottom, left, right;
            float v, u;
            between(oy, factor, height, &top, &bottom, &v);
            for (ptrdiff_t ox = 0; ox < width * factor; ox++) {
                between(ox, factor, width, &left, &right, &u);
                const float upper =
                    source[top * width + left] * (1 - u) + source[top * width + right] * u;
                const float lower =
                    source[bottom * width + left] * (1 - u) + source[bottom * width + right] * u;
                *y++ = upper * (1 - v) + lower * v;
            }
        }
    }
}

CLONES void fathom_upsample_bilinear_gradient(const float *dy, ptrdiff_t planes, ptrdiff_t height,
                                              ptrdiff_t width, ptrdiff_t factor, float *dx) {
    for (ptrdiff_t i = 0; i < planes * height * width; i++) dx[i] = 0;
    for (ptrdiff_t p = 0; p < planes; p++) {
        float *target = dx + p * height * width;
        for (ptrdiff_t oy = 0; oy < height * factor; oy++) {
            ptrdiff_t top, bottom, left, right;
            float v, u;
            between(oy, factor, height, &top, &bottom, &v);
            for (ptrdiff_t ox = 0; ox < width * factor; ox++) {
                between(ox, factor, width, &left, &right, &u);
                const float g = *dy++;
                target[top * width + left] += g * (1 - v) * (1 - u);
                target[top * width + right] += g * (1 - v) * u;
                target[bottom * width + left] += g * v * (1 - u);
                target[bottom * width + right] += g * v * u;
            }
        }
    }
}
