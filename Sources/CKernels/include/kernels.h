// The plain loops behind FathomCore's operators. Activations of images lie channel-major,
// [channels][images][height][width], so that a convolution of a whole batch is one matrix
// product; rows lie [images][rows][columns]. Nothing here allocates, save working memory that a
// thread takes once, and every sum is taken in a fixed order. The loops give the same bits on every
// instruction set; products and convolutions (paths.h) the same on all that fuse multiply-adds.
#ifndef FATHOM_KERNELS_H
#define FATHOM_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/// A window sliding over planes: square kernel, equal stride and padding on both axes.
typedef struct {
    ptrdiff_t height, width;          // of the input
    ptrdiff_t out_height, out_width;  // of the output
    ptrdiff_t kernel, stride, padding;
} fathom_window;

// -- product.c
/// A matrix in rows `stride` numbers apart, to be read turned round when `transposed`.
typedef struct {
    const float *numbers;
    ptrdiff_t stride;
    int transposed;
} fathom_matrix;
/// result = factor * left * right, or added onto it when `adds`: rows x depth times depth x
/// columns.
/// Every sum is a chain of at most 256 terms, the chains added in order, whatever the sizes; so a
/// number does not depend on how many others are worked out beside it.
void fathom_product(fathom_matrix left, fathom_matrix right, ptrdiff_t rows, ptrdiff_t columns,
                    ptrdiff_t depth, float factor, int adds, float *result,
                    ptrdiff_t result_stride);

/// What is done to a convolution's results before they are left: slope[c] * y + shift[c] +
/// residual, and then 0 for what is negative. What is NULL is left out.
typedef struct {
    const float *slope, *shift, *residual;
    int rectifies;
} fathom_finish;

// -- windows.c
/// y [outputs][images][oh][ow] = the windows of x [channels][images][h][w] times
/// weight [outputs][channels][k][k].
void fathom_convolve(const float *x, const float *weight, ptrdiff_t outputs, ptrdiff_t channels,
                     ptrdiff_t images, fathom_window window, fathom_finish finish, float *y);
/// Its weight's gradient.
void fathom_convolve_weight_gradient(const float *x, const float *dy, ptrdiff_t outputs,
                                     ptrdiff_t channels, ptrdiff_t images, fathom_window window,
                                     float *dweight);
/// Finishes columns `start..<start + count` of every row of y, rows `stride` apart.
void fathom_finish_rows(fathom_finish finish, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t count,
                        ptrdiff_t stride, float *y);

// -- direct.c
/// Whether a convolution has so few channels that it is worked out in place: by its shape alone.
int fathom_direct_serves(ptrdiff_t outputs, ptrdiff_t channels, fathom_window window);
int fathom_direct_gradient_serves(ptrdiff_t outputs, ptrdiff_t channels, fathom_window window);
/// As `fathom_convolve` and its weight's gradient, for shapes that it serves. `dy` must be readable
/// for 16 numbers beyond its end.
void fathom_direct_convolve(const float *x, const float *weight, ptrdiff_t outputs,
                            ptrdiff_t channels, ptrdiff_t images, fathom_window window,
                            fathom_finish finish, float *y);
void fathom_direct_weight_gradient(const float *x, const float *dy, ptrdiff_t outputs,
                                   ptrdiff_t channels, ptrdiff_t images, fathom_window window,
                                   float *dweight);

// -- winograd.c
/// Whether a convolution is worked out by Winograd's F(4x4, 3x3): a pure function of its shape.
int fathom_winograd_serves(ptrdiff_t outputs, ptrdiff_t channels, ptrdiff_t images,
                           fathom_window window);
/// As `fathom_convolve`, and its two gradients, for shapes that it serves.
void fathom_winograd(const float *x, const float *weight, ptrdiff_t outputs, ptrdiff_t channels,
                     ptrdiff_t images, fathom_window window, fathom_finish finish, float *y);
void fathom_winograd_input_gradient(const float *dy, const float *weight, ptrdiff_t outputs,
                                    ptrdiff_t channels, ptrdiff_t images, fathom_window window,
                                    float *dx);
void fathom_winograd_weight_gradient(const float *x, const float *dy, ptrdiff_t outputs,
                                     ptrdiff_t channels, ptrdiff_t images, fathom_window window,
                                     float *dweight);

// -- convolution.c
/// The adjoint of unrolling windows into columns: sums `columns`, [channels * k * k][count * oh *
/// ow], into images `first..<first + count` of `dx`. `columns` must be readable for 32 numbers
/// before its start and beyond its end.
void fathom_col2im(const float *columns, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t first,
                   ptrdiff_t count, fathom_window window, float *dx);
/// One kernel a channel: y[c] = x[c] * w[c].
void fathom_depthwise(const float *x, const float *weight, ptrdiff_t channels, ptrdiff_t images,
                      fathom_window window, float *y);
void fathom_depthwise_input_gradient(const float *dy, const float *weight, ptrdiff_t channels,
                                     ptrdiff_t images, fathom_window window, float *dx);
void fathom_depthwise_weight_gradient(const float *x, const float *dy, ptrdiff_t channels,
                                      ptrdiff_t images, fathom_window window, float *dweight);
/// A 2x2 transposed convolution of stride 2 writes disjoint squares:
/// `blocks` is [out * 4][images * h * w], `y` is [out][images][2h][2w].
void fathom_scatter2x2(const float *blocks, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t height,
                       ptrdiff_t width, float *y);
void fathom_gather2x2(const float *y, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t height,
                      ptrdiff_t width, float *blocks);

// -- normalization.c
/// Training mode over [channels][count]: the batch's mean and biased variance, the running ones
/// moved by `momentum` towards them (variance unbiased), y = (x - mean) * inverse * gain + bias,
/// `residual` added if there is one, and then 0 for what is negative if it `rectifies`.
void fathom_batchnorm_train(const float *x, const float *gain, const float *bias,
                            const float *residual, int rectifies, ptrdiff_t channels,
                            ptrdiff_t count, float stabilizer, float momentum,
                            float *running_mean, float *running_variance, float *mean,
                            float *inverse, float *y);
/// Evaluation mode: y = slope[c] * x + shift[c], by the running statistics.
void fathom_batchnorm_eval(const float *x, const float *gain, const float *bias,
                           const float *running_mean, const float *running_variance,
                           ptrdiff_t channels, ptrdiff_t count, float stabilizer, float *mean,
                           float *inverse, float *y);
/// Only what evaluation mode multiplies by and adds.
void fathom_batchnorm_fold(const float *gain, const float *bias, const float *running_mean,
                           const float *running_variance, ptrdiff_t channels, float stabilizer,
                           float *mean, float *inverse, float *slope, float *shift);
/// Any of `dx`, `dgain` and `dbias` may be NULL; `train` says whether the statistics were the
/// batch's. `y`, if given, is what a rectifier made of the result: no gradient comes through where
/// it is 0. What does is also written to `passed`, if given.
void fathom_batchnorm_gradient(const float *x, const float *y, const float *dy, const float *gain,
                               const float *mean, const float *inverse, ptrdiff_t channels,
                               ptrdiff_t count, int train, float *dx, float *dgain, float *dbias,
                               float *passed);
/// Of slope[c] * x + shift[c] + residual, rectified to `y` if that is given: `passed` is the
/// residual's gradient, `dx` that of x; either may be NULL or be `dy` itself.
void fathom_finish_gradient(const float *y, const float *dy, const float *slope,
                            ptrdiff_t channels, ptrdiff_t count, float *dx, float *passed);
void fathom_layernorm(const float *x, const float *gain, const float *bias, ptrdiff_t rows,
                      ptrdiff_t columns, float stabilizer, float *mean, float *inverse, float *y);
void fathom_layernorm_gradient(const float *x, const float *dy, const float *gain,
                               const float *mean, const float *inverse, ptrdiff_t rows,
                               ptrdiff_t columns, float *dx, float *dgain, float *dbias);
void fathom_softmax_rows(const float *x, ptrdiff_t rows, ptrdiff_t columns, float *y);
void fathom_softmax_rows_gradient(const float *y, const float *dy, ptrdiff_t rows,
                                  ptrdiff_t columns, float *dx);

// -- pooling.c
/// `chosen` holds, for each output, the place of the maximum within its input plane.
void fathom_maxpool(const float *x, ptrdiff_t planes, fathom_window window, float *y,
                    int32_t *chosen);
void fathom_maxpool_gradient(const float *dy, const int32_t *chosen, ptrdiff_t planes,
                             fathom_window window, float *dx);
void fathom_avgpool(const float *x, ptrdiff_t planes, fathom_window window, float *y);
void fathom_avgpool_gradient(const float *dy, ptrdiff_t planes, fathom_window window, float *dx);
/// x [channels][images][plane] to the means y [images][channels].
void fathom_global_average(const float *x, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t plane,
                           float *y);
void fathom_global_average_gradient(const float *dy, ptrdiff_t channels, ptrdiff_t images,
                                    ptrdiff_t plane, float *dx);
void fathom_upsample_nearest(const float *x, ptrdiff_t planes, ptrdiff_t height, ptrdiff_t width,
                             ptrdiff_t factor, float *y);
void fathom_upsample_nearest_gradient(const float *dy, ptrdiff_t planes, ptrdiff_t height,
                                      ptrdiff_t width, ptrdiff_t factor, float *dx);
void fathom_upsample_bilinear(const float *x, ptrdiff_t planes, ptrdiff_t height, ptrdiff_t width,
                              ptrdiff_t factor, float *y);
void fathom_upsample_bilinear_gradient(const float *dy, ptrdiff_t planes, ptrdiff_t height,
                                       ptrdiff_t width, ptrdiff_t factor, float *dx);

// -- activation.c
typedef enum {
    FATHOM_RELU = 0,
    FATHOM_RELU6 = 1,
    FATHOM_GELU = 2,
    FATHOM_SIGMOID = 3,
    FATHOM_TANH = 4,
} fathom_activation;
void fathom_activate(fathom_activation kind, const float *x, ptrdiff_t count, float *y);
void fathom_activate_gradient(fathom_activation kind, const float *x, const float *y,
                              const float *dy, ptrdiff_t count, float *dx);

// -- elementwise.c
void fathom_add(const float *a, const float *b, ptrdiff_t count, float *y);
void fathom_accumulate(const float *x, ptrdiff_t count, float *y);
void fathom_axpy(float factor, const float *x, ptrdiff_t count, float *y);
void fathom_scale(float factor, ptrdiff_t count, float *y);
void fathom_multiply(const float *a, const float *b, ptrdiff_t count, float *y);
/// Adds bias[r] to every element of row r.
void fathom_add_to_rows(const float *bias, ptrdiff_t rows, ptrdiff_t columns, float *y);
/// Adds bias to every row.
void fathom_add_row(const float *bias, ptrdiff_t rows, ptrdiff_t columns, float *y);
/// sums[r] = sum of row r, in double.
void fathom_row_sums(const float *x, ptrdiff_t rows, ptrdiff_t columns, float *sums);
/// sums[c] = sum of column c, in double, through `scratch` of `columns` doubles.
void fathom_column_sums(const float *x, ptrdiff_t rows, ptrdiff_t columns, float *sums);
double fathom_sum_of_squares(const float *x, ptrdiff_t count);
/// The squared distance of `a` and `b`.
double fathom_squared_distance(const float *a, const float *b, ptrdiff_t count);
int fathom_all_finite(const float *x, ptrdiff_t count);
/// y[n][c * plane + p] = x[c][n][p], and back.
void fathom_images_to_rows(const float *x, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t plane,
                           float *y);
void fathom_rows_to_images(const float *x, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t plane,
                           float *y);
/// y[c][n][p] = x[c][n][p] * gate[n][c].
void fathom_gate(const float *x, const float *gate, ptrdiff_t channels, ptrdiff_t images,
                 ptrdiff_t plane, float *y);
void fathom_gate_gradient(const float *x, const float *gate, const float *dy, ptrdiff_t channels,
                          ptrdiff_t images, ptrdiff_t plane, float *dx, float *dgate);
/// One SGD step with momentum and weight decay: v = mu v + (g + decay p), p -= rate * v, or with
/// Nesterov's look-ahead p -= rate * (g + decay p + mu v). `first`: v starts as the gradient.
void fathom_sgd(float *p, const float *g, float *v, ptrdiff_t count, float rate, float momentum,
                float decay, int nesterov, int first);
/// One Adam step; `decay` is added to the gradient, `decoupled` shrinks the weights instead.
void fathom_adam(float *p, const float *g, float *m, float *v, ptrdiff_t count, float rate,
                 float beta1, float beta2, float stabilizer, float correction1, float correction2,
                 float decay, float decoupled);
/// Bytes of one image [channels][height][width] to floats v / 255 at
/// y[c * channel_stride + ...], shifted by (dy, dx) with zeros coming in, mirrored if `flip`.
void fathom_load_image(const uint8_t *pixels, ptrdiff_t channels, ptrdiff_t height, ptrdiff_t width,
                       ptrdiff_t dy, ptrdiff_t dx, int flip, ptrdiff_t channel_stride, float *y);
/// The same from numbers instead of bytes.
void fathom_load_numbers(const float *numbers, ptrdiff_t channels, ptrdiff_t height,
                         ptrdiff_t width, ptrdiff_t dy, ptrdiff_t dx, int flip,
                         ptrdiff_t channel_stride, float *y);

// -- machine.c
/// Which clones of the loops this machine runs.
const char *fathom_instruction_path(void);
/// Writes such as `glibc 2.36` and answers its length with the final zero; 0 where unknown.
ptrdiff_t fathom_math_library(char *text, ptrdiff_t size);

#endif
