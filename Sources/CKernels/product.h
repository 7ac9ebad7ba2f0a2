// The packed matrix product that convolutions and linear layers share. `product.c` has the matrix
// form, `convolution.c` feeds it unrolled windows.
#ifndef FATHOM_PRODUCT_H
#define FATHOM_PRODUCT_H

#include "kernels.h"
#include "paths.h"

/// Rows of a left panel and columns of a right one. A left panel is [depth][TILE_ROWS], a right
/// one [depth][TILE_COLUMNS].
enum { TILE_ROWS = 8, TILE_COLUMNS = 32 };
/// Products are summed in chains of at most this many terms; the chains are then added up, so that
/// rounding grows slowly. Also what of a right panel stays in the first cache.
enum { DEPTH_MAX = 256 };
/// With at most so many columns a product is narrow: its left side is read where it lies, or packed
/// so many rows at a time.
enum { COLUMNS_NARROW = 256, ROWS_NARROW = 256 };
/// Terms of a left side by columns that are packed at a time.
enum { TERMS_TURNED = 16 };
/// The windows of planes as a matrix: a row is a channel's tap, a column an output's place of an
/// image. `planes` is [channels][images][height][width], padded already, and readable for 64
/// numbers beyond its end.
typedef struct {
    const float *planes;
    ptrdiff_t images, height, width;
    ptrdiff_t out_height, out_width, kernel, stride;
} fathom_windows;

typedef struct {
    ptrdiff_t rows, columns, depth;
    /// rows x depth, or depth x rows when transposed; or packed beforehand, and `left` is NULL.
    float factor;
    const float *left, *packed_left;
    ptrdiff_t left_stride;
    int left_transposed;
    /// depth x columns, or columns x depth when transposed: a matrix, or windows if there are any.
    const float *right;
    ptrdiff_t right_stride;
    int right_transposed;
    const fathom_windows *windows;
    /// Whether the result is added to what is there.
    int adds;
    float *result;
    ptrdiff_t result_stride;
} fathom_product_call;

void fathom_packed_product(const fathom_product_call *call);
/// Floats of the packed left side of `rows` x `depth`.
size_t fathom_packed_left_size(ptrdiff_t rows, ptrdiff_t depth);
/// Packs the call's left side whole.
void fathom_pack_left(const fathom_product_call *call, float *packed);

/// Images `first..<first + count` with their padding, [channels][count][h + 2p][w + 2p], in the
/// thread's tile memory, readable for two rows and 64 numbers beyond the end.
const float *fathom_padded_planes(const float *x, ptrdiff_t channels, ptrdiff_t images,
                                  ptrdiff_t first, ptrdiff_t count, fathom_window window);

/// `fathom_col2im` where whole rows can be summed: stride 1.
int fathom_rolls_rows(fathom_window window);
void fathom_roll_rows(const float *columns, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t first,
                      ptrdiff_t count, fathom_window window, float *dx);

#endif
