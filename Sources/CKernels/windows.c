// Convolutions of one group as packed products whose right side, the unrolled windows, is never
// written down as a whole.
#include "clones.h"
#include "product.h"

/// Floats of padded planes at a time, for the second cache.
enum { SLICE_FLOATS = 96 * 1024 };

/// Images whose padded planes fit; a number of results does not change their bits, since each
/// output is a sum of its own.
static ptrdiff_t images_a_slice(ptrdiff_t channels, ptrdiff_t images, fathom_window w) {
    const ptrdiff_t size =
        channels * (w.height + 2 * w.padding) * (w.width + 2 * w.padding);
    const ptrdiff_t count = size > SLICE_FLOATS ? 1 : SLICE_FLOATS / size;
    return count < images ? count : images;
}

const float *fathom_padded_planes(const float *x, ptrdiff_t channels, ptrdiff_t images,
                                  ptrdiff_t first, ptrdiff_t count, fathom_window w) {
    const ptrdiff_t height = w.height + 2 * w.padding, width = w.width + 2 * w.padding;
    // Readers take whole vectors, and a row more than there is.
    const ptrdiff_t margin = 2 * width + 64;
    float *planes = fathom_working_memory(
        FATHOM_TILE_MEMORY, (size_t)(channels * count * height * width + margin));
    float *to = planes;
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t n = 0; n < count; n++) {
            const float *from = x + (c * images + first + n) * w.height * w.width;
            memset(to, 0, (size_t)(w.padding * width) * sizeof(float));
            to += w.padding * width;
            for (ptrdiff_t y = 0; y < w.height; y++, from += w.width) {
                for (ptrdiff_t i = 0; i < w.padding; i++) *to++ = 0;
                memcpy(to, from, (size_t)w.width * sizeof(float));
                to += w.width;
                for (ptrdiff_t i = 0; i < w.padding; i++) *to++ = 0;
            }
            memset(to, 0, (size_t)(w.padding * width) * sizeof(float));
            to += w.padding * width;
        }
    }
    // What a reader takes beyond the end counts as nothing, but nothing times NaN is NaN.
    memset(to, 0, (size_t)margin * sizeof(float));
    return planes;
}

static fathom_windows windows_of(const float *planes, ptrdiff_t count, fathom_window w) {
    return (fathom_windows){
        .planes = planes,
        .images = count,
        .height = w.height + 2 * w.padding,
        .width = w.width + 2 * w.padding,
        .out_height = w.out_height,
        .out_width = w.out_width,
        .kernel = w.kernel,
        .stride = w.stride,
    };
}

CLONES void fathom_finish_rows(fathom_finish finish, ptrdiff_t rows, ptrdiff_t start,
                               ptrdiff_t count, ptrdiff_t stride, float *y) {
    if (!finish.slope && !finish.shift && !finish.residual && !finish.rectifies) return;
    for (ptrdiff_t r = 0; r < rows; r++) {
        float *to = y + r * stride + start;
        const float slope = finish.slope ? finish.slope[r] : 1;
        const float shift = finish.shift ? finish.shift[r] : 0;
        if (finish.residual) {
            const float *more = finish.residual + r * stride + start;
            for (ptrdiff_t i = 0; i < count; i++) {
                const float v = to[i] * slope + shift + more[i];
                to[i] = finish.rectifies && v < 0 ? 0 : v;
            }
        } else {
            for (ptrdiff_t i = 0; i < count; i++) {
                const float v = to[i] * slope + shift;
                to[i] = finish.rectifies && v < 0 ? 0 : v;
            }
        }
    }
}

void fathom_convolve(const float *x, const float *weight, ptrdiff_t outputs, ptrdiff_t channels,
                     ptrdiff_t images, fathom_window w, fathom_finish finish, float *y) {
    const ptrdiff_t taps = channels * w.kernel * w.kernel, out_plane = w.out_height * w.out_width;
    fathom_product_call call = {
        .rows = outputs,
        .depth = taps,
        .factor = 1,
        .left = weight,
        .left_stride = taps,
        .result_stride = images * out_plane,
    };
    // A narrow product reads its weights where they lie; all others share what is packed once.
    const int is_narrow = images * out_plane <= COLUMNS_NARROW;
    if (!is_narrow) {
        float *packed =
            fathom_working_memory(FATHOM_WEIGHT_MEMORY, fathom_packed_left_size(outputs, taps));
        fathom_pack_left(&call, packed);
        call.packed_left = packed;
    }
    const ptrdiff_t size = is_narrow ? images : images_a_slice(channels, images, w);
    for (ptrdiff_t first = 0; first < images; first += size) {
        const ptrdiff_t count = images - first < size ? images - first : size;
        const fathom_windows windows =
            windows_of(fathom_padded_planes(x, channels, images, first, count, w), count, w);
        call.windows = &windows;
        call.columns = count * out_plane;
        call.result = y + first * out_plane;
        fathom_packed_product(&call);
        fathom_finish_rows(finish, outputs, first * out_plane, call.columns, images * out_plane, y);
    }
}

void fathom_convolve_weight_gradient(const float *x, const float *dy, ptrdiff_t outputs,
                                     ptrdiff_t channels, ptrdiff_t images, fathom_window w,
                                     float *dweight) {
    const ptrdiff_t taps = channels * w.kernel * w.kernel, out_plane = w.out_height * w.out_width;
    const ptrdiff_t size = images_a_slice(channels, images, w);
    for (ptrdiff_t first = 0; first < images; first += size) {
        const ptrdiff_t count = images - first < size ? images - first : size;
        const fathom_windows windows =
            windows_of(fathom_padded_planes(x, channels, images, first, count, w), count, w);
        const fathom_product_call call = {
            .rows = outputs,
            .columns = taps,
            .depth = count * out_plane,
            .factor = 1,
            .left = dy + first * out_plane,
            .left_stride = images * out_plane,
            .right_transposed = 1,
            .windows = &windows,
            .adds = first > 0,
            .result = dweight,
            .result_stride = taps,
        };
        fathom_packed_product(&call);
    }
}
