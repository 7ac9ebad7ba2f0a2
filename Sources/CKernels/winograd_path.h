// Winograd convolutions on one path: see winograd.h.

#include "vectors_path.h"

#include "winograd_lines_path.h"

// -- Rearranging

/// Channels `16 * block...` of images `first..<first + count` into padded planes.
static void ON_PATH(spread)(const float *x, ptrdiff_t channels, ptrdiff_t images, ptrdiff_t first,
                            ptrdiff_t count, const fathom_tiling *t, float *planes) {
    const ptrdiff_t plane = t->height * t->width, total = count * plane;
    const ptrdiff_t padded = t->padded_height * t->padded_width;
    const ptrdiff_t blocks = (channels + WIDE - 1) / WIDE;
    memset(planes, 0, (size_t)(blocks * count * padded * WIDE) * sizeof(float));
    for (ptrdiff_t b = 0; b < blocks; b++, planes += count * padded * WIDE) {
        const ptrdiff_t left_over = channels - b * WIDE;
        const ptrdiff_t there = left_over < WIDE ? left_over : WIDE;
        const float *from = x + (b * WIDE * images + first) * plane;
        ptrdiff_t column = 0, row = 0, at = t->padded_width + 1, image = 0;
        for (ptrdiff_t p = 0; p < total; p += WIDE) {
            const ptrdiff_t numbers = total - p < WIDE ? total - p : WIDE;
            SIXTEEN block[WIDE];
            ON_PATH(gather16)(from + p, images * plane, there, numbers, block);
            for (ptrdiff_t i = 0; i < numbers; i++) {
                STORE16(block[i], planes + at * WIDE);
                at++;
                if (++column < t->width) continue;
                column = 0;
                at += t->padded_width - t->width;
                if (++row < t->height) continue;
                row = 0;
                at = ++image * padded + t->padded_width + 1;
            }
        }
    }
}

/// Sixteen results of one channel, finished.
PATH_INLINE void ON_PATH(finish16)(SIXTEEN *v, const fathom_finish *finish, ptrdiff_t channel,
                                   ptrdiff_t place, ptrdiff_t numbers) {
    if (finish->slope) *v = *v * finish->slope[channel];
    if (finish->shift) *v = *v + finish->shift[channel];
    if (finish->residual && numbers == WIDE) *v = *v + LOAD16(finish->residual + place);
    if (finish->residual && numbers < WIDE) {
        SIXTEEN more = {0};
        __builtin_memcpy(&more, finish->residual + place, (size_t)numbers * sizeof(float));
        *v = *v + more;
    }
    // A comparison is all ones where it holds; NaN is not negative and stays.
    if (finish->rectifies) *v = (SIXTEEN)((BITS16)*v & ~(BITS16)(*v < (SIXTEEN){0}));
}

/// Planes [outputs / 16][count][height][width][16] back to channels of their own, finished.
static void ON_PATH(collect)(const float *planes, ptrdiff_t channels, ptrdiff_t images,
                             ptrdiff_t first, ptrdiff_t count, const fathom_tiling *t,
                             const fathom_finish *finish, float *y) {
    const ptrdiff_t plane = t->height * t->width, total = count * plane;
    for (ptrdiff_t b = 0; b * WIDE < channels; b++, planes += total * WIDE) {
        const ptrdiff_t left_over = channels - b * WIDE;
        const ptrdiff_t there = left_over < WIDE ? left_over : WIDE;
        const ptrdiff_t start = (b * WIDE * images + first) * plane;
        for (ptrdiff_t p = 0; p < total; p += WIDE) {
            const ptrdiff_t numbers = total - p < WIDE ? total - p : WIDE;
            SIXTEEN block[WIDE];
            UNROLLED for (int i = 0; i < WIDE; i++) block[i] = LOAD16(planes + (p + i) * WIDE);
            ON_PATH(transpose16)(block);
            if (there == WIDE && numbers == WIDE) {
                UNROLLED for (int i = 0; i < WIDE; i++) {
                    const ptrdiff_t place = start + i * images * plane + p;
                    SIXTEEN v = block[i];
                    ON_PATH(finish16)(&v, finish, b * WIDE + i, place, numbers);
                    STORE16(v, y + place);
                }
                continue;
            }
            for (ptrdiff_t i = 0; i < there; i++) {
                const ptrdiff_t place = start + i * images * plane + p;
                SIXTEEN v = block[i];
                ON_PATH(finish16)(&v, finish, b * WIDE + i, place, numbers);
                ON_PATH(store_part)(&v, numbers, y + place);
            }
        }
    }
}

/// Where tile `number` of the slice begins in a plane of `width` columns and `size` places.
PATH_INLINE ptrdiff_t ON_PATH(tile_place)(const fathom_tiling *t, ptrdiff_t number,
                                          ptrdiff_t width, ptrdiff_t size) {
    const ptrdiff_t each = t->tiles_down * t->tiles_across;
    const ptrdiff_t image = number / each, in_image = number % each;
    return image * size + in_image / t->tiles_across * SIDE * width +
           in_image % t->tiles_across * SIDE;
}

/// Patches of tiles `first..<first + count` of padded planes, transformed.
static void ON_PATH(transform_patches)(const float *planes, ptrdiff_t blocks, ptrdiff_t images,
                                       const fathom_tiling *t, ptrdiff_t first, ptrdiff_t count,
                                       float *tiles) {
    const ptrdiff_t padded = t->padded_height * t->padded_width;
    const ptrdiff_t point = fathom_tile_point(t, blocks);
    for (ptrdiff_t b = 0; b < blocks; b++) {
        const float *block = planes + b * images * padded * WIDE;
        for (ptrdiff_t i = 0; i < count; i++) {
            const float *from =
                block + ON_PATH(tile_place)(t, first + i, t->padded_width, padded) * WIDE;
            float *to = tiles + (b * t->run + i) * WIDE;
            SIXTEEN lines[POINTS], line[PATCH];
            UNROLLED for (int r = 0; r < PATCH; r++) {
                UNROLLED for (int c = 0; c < PATCH; c++) {
                    line[c] = LOAD16(from + (r * t->padded_width + c) * WIDE);
                }
                ON_PATH(patch_line)(line, 1, lines + r * PATCH, 1);
            }
            UNROLLED for (int c = 0; c < PATCH; c++) {
                ON_PATH(patch_line)(lines + c, PATCH, line, 1);
                UNROLLED for (int r = 0; r < PATCH; r++) {
                    STORE16(line[r], to + (r * PATCH + c) * point);
                }
            }
        }
    }
}

/// Squares of output gradients, which lie in padded planes as inputs do, transformed.
static void ON_PATH(transform_gradients)(const float *planes, ptrdiff_t blocks, ptrdiff_t images,
                                         const fathom_tiling *t, ptrdiff_t first, ptrdiff_t count,
                                         float *tiles) {
    const ptrdiff_t padded = t->padded_height * t->padded_width;
    const ptrdiff_t point = fathom_tile_point(t, blocks);
    for (ptrdiff_t b = 0; b < blocks; b++) {
        const float *block = planes + b * images * padded * WIDE;
        for (ptrdiff_t i = 0; i < count; i++) {
            const ptrdiff_t corner = ON_PATH(tile_place)(t, first + i, t->padded_width, padded);
            const float *from = block + (corner + t->padded_width + 1) * WIDE;
            float *to = tiles + (b * t->run + i) * WIDE;
            SIXTEEN lines[SIDE * PATCH], line[PATCH];
            UNROLLED for (int r = 0; r < SIDE; r++) {
                UNROLLED for (int c = 0; c < SIDE; c++) {
                    line[c] = LOAD16(from + (r * t->padded_width + c) * WIDE);
                }
                ON_PATH(gradient_line)(line, 1, lines + r * PATCH, 1);
            }
            UNROLLED for (int c = 0; c < PATCH; c++) {
                ON_PATH(gradient_line)(lines + c, PATCH, line, 1);
                UNROLLED for (int r = 0; r < PATCH; r++) {
                    STORE16(line[r], to + (r * PATCH + c) * point);
                }
            }
        }
    }
}

/// Products of tiles `first..<first + count` to outputs in planes of the real size.
static void ON_PATH(transform_outputs)(const float *tiles, ptrdiff_t blocks, ptrdiff_t images,
                                       const fathom_tiling *t, ptrdiff_t first, ptrdiff_t count,
                                       float *planes) {
    const ptrdiff_t plane = t->height * t->width, point = fathom_tile_point(t, blocks);
    const ptrdiff_t each = t->tiles_down * t->tiles_across;
    for (ptrdiff_t b = 0; b < blocks; b++) {
        for (ptrdiff_t i = 0; i < count; i++) {
            const float *from = tiles + (b * t->run + i) * WIDE;
            SIXTEEN lines[SIDE * PATCH], line[PATCH], square[SIDE * SIDE];
            UNROLLED for (int c = 0; c < PATCH; c++) {
                UNROLLED for (int r = 0; r < PATCH; r++) {
                    line[r] = LOAD16(from + (r * PATCH + c) * point);
                }
                ON_PATH(output_line)(line, 1, lines + c, PATCH);
            }
            UNROLLED for (int r = 0; r < SIDE; r++) {
                ON_PATH(output_line)(lines + r * PATCH, 1, square + r * SIDE, 1);
            }
            const ptrdiff_t image = (first + i) / each, in_image = (first + i) % each;
            const ptrdiff_t row = in_image / t->tiles_across * SIDE;
            const ptrdiff_t column = in_image % t->tiles_across * SIDE;
            const ptrdiff_t rows = t->height - row < SIDE ? t->height - row : SIDE;
            const ptrdiff_t columns = t->width - column < SIDE ? t->width - column : SIDE;
            float *to = planes +
                        (b * images * plane + image * plane + row * t->width + column) * WIDE;
            if (rows == SIDE && columns == SIDE) {
                UNROLLED for (int r = 0; r < SIDE; r++) {
                    UNROLLED for (int c = 0; c < SIDE; c++) {
                        STORE16(square[r * SIDE + c], to + (r * t->width + c) * WIDE);
                    }
                }
                continue;
            }
            for (ptrdiff_t r = 0; r < rows; r++) {
                for (ptrdiff_t c = 0; c < columns; c++) {
                    STORE16(square[r * SIDE + c], to + (r * t->width + c) * WIDE);
                }
            }
        }
    }
}

// -- Weights

/// Nine taps of sixteen outputs and each input, transformed: [36][output blocks][inputs][16].
static void ON_PATH(transform_weights)(const float *weight, const fathom_tiling *t,
                                       fathom_weight_use use, float *points) {
    const int turned = use == TURNED_WEIGHT;
    // In the weight's own terms `outputs` of this product may be its inputs.
    const ptrdiff_t depth = t->inputs, wide = t->outputs;
    const ptrdiff_t wide_step = turned ? 9 : depth * 9, depth_step = turned ? wide * 9 : 9;
    const ptrdiff_t point = fathom_weight_point(t);
    for (ptrdiff_t b = 0; b < t->output_blocks; b++) {
        for (ptrdiff_t d = 0; d < t->input_blocks * WIDE; d++) {
            float *to = points + (b * t->input_blocks * WIDE + d) * WIDE;
            if (d >= depth) {
                for (int p = 0; p < POINTS; p++) STORE16((SIXTEEN){0}, to + p * point);
                continue;
            }
            const ptrdiff_t left_over = wide - b * WIDE;
            SIXTEEN rows[WIDE], taps[9], lines[3 * PATCH], line[PATCH];
            ON_PATH(gather16)(weight + b * WIDE * wide_step + d * depth_step, wide_step,
                              left_over < WIDE ? left_over : WIDE, 9, rows);
            UNROLLED for (int i = 0; i < 9; i++) taps[i] = rows[turned ? 8 - i : i];
            UNROLLED for (int r = 0; r < 3; r++) {
                ON_PATH(weight_line)(taps + 3 * r, 1, lines + r * PATCH, 1);
            }
            UNROLLED for (int c = 0; c < PATCH; c++) {
                ON_PATH(weight_line)(lines + c, PATCH, line, 1);
                UNROLLED for (int r = 0; r < PATCH; r++) {
                    STORE16(line[r], to + (r * PATCH + c) * point);
                }
            }
        }
    }
}

/// Gradients of the 36 points back to those of nine taps.
static void ON_PATH(collect_weights)(const float *points, const fathom_tiling *t, float *dweight) {
    const ptrdiff_t point = fathom_weight_point(t);
    for (ptrdiff_t b = 0; b < t->output_blocks; b++) {
        const ptrdiff_t left_over = t->outputs - b * WIDE;
        const ptrdiff_t there = left_over < WIDE ? left_over : WIDE;
        for (ptrdiff_t d = 0; d < t->inputs; d++) {
            const float *from = points + (b * t->input_blocks * WIDE + d) * WIDE;
            SIXTEEN lines[3 * PATCH], line[PATCH], taps[WIDE];
            UNROLLED for (int c = 0; c < PATCH; c++) {
                UNROLLED for (int r = 0; r < PATCH; r++) {
                    line[r] = LOAD16(from + (r * PATCH + c) * point);
                }
                ON_PATH(tap_line)(line, 1, lines + c, PATCH);
            }
            UNROLLED for (int r = 0; r < 3; r++) {
                ON_PATH(tap_line)(lines + r * PATCH, 1, taps + 3 * r, 1);
            }
            UNROLLED for (int i = 9; i < WIDE; i++) taps[i] = (SIXTEEN){0};
            ON_PATH(transpose16)(taps);
            for (ptrdiff_t i = 0; i < there; i++) {
                __builtin_memcpy(dweight + ((b * WIDE + i) * t->inputs + d) * 9, &taps[i],
                                 9 * sizeof(float));
            }
        }
    }
}

// -- Products

/// Where the numbers of a product of blocks lie.
typedef struct {
    ptrdiff_t depth;  // terms of a sum in one piece of the left side
    ptrdiff_t pieces;
    const float *left;
    ptrdiff_t left_row, left_term, left_piece;
    const float *right;
    ptrdiff_t right_block;  // from one block of sixteen columns to the next
    float *result;
    ptrdiff_t result_block;
    int adds;
} ON_PATH(block_product);

/// `rows` rows of `blocks` blocks of sixteen columns; all rows are 16 numbers apart in the result.
PATH_INLINE void ON_PATH(rows_by_blocks)(const ON_PATH(block_product) * p, const int rows,
                                         const int blocks) {
    SIXTEEN sums[TILE_HEIGHT][2];
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int b = 0; b < blocks; b++) sums[r][b] = (SIXTEEN){0};
    }
    const float *right = p->right;
    for (ptrdiff_t piece = 0; piece < p->pieces; piece++) {
        const float *left = p->left + piece * p->left_piece;
        for (ptrdiff_t d = 0; d < p->depth; d++, left += p->left_term, right += WIDE) {
            SIXTEEN columns[2];
            UNROLLED for (int b = 0; b < blocks; b++) {
                columns[b] = LOAD16(right + b * p->right_block);
            }
            UNROLLED for (int r = 0; r < rows; r++) {
                const SIXTEEN a = SPLAT(left[r * p->left_row]);
                UNROLLED for (int b = 0; b < blocks; b++) {
                    sums[r][b] = MULTIPLY_ADD(a, columns[b], sums[r][b]);
                }
            }
        }
    }
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int b = 0; b < blocks; b++) {
            float *to = p->result + b * p->result_block + r * WIDE;
            STORE16(p->adds ? LOAD16(to) + sums[r][b] : sums[r][b], to);
        }
    }
}

/// `rows` rows (a multiple of eight) of the columns of two blocks, or one.
static void ON_PATH(strip)(ON_PATH(block_product) p, ptrdiff_t rows, int blocks) {
    for (ptrdiff_t r = 0; r < rows; r += TILE_HEIGHT) {
        if (TILE_BLOCKS == 2 && blocks == 2) {
            ON_PATH(rows_by_blocks)(&p, TILE_HEIGHT, 2);
        } else {
            ON_PATH(block_product) one = p;
            for (int b = 0; b < blocks; b++) {
                ON_PATH(rows_by_blocks)(&one, TILE_HEIGHT, 1);
                one.right += p.right_block;
                one.result += p.result_block;
            }
        }
        p.left += TILE_HEIGHT * p.left_row;
        p.result += TILE_HEIGHT * WIDE;
    }
}

/// Transformed patches times transformed weights, of every point.
static void ON_PATH(multiply_points)(const float *tiles, const float *weights,
                                     const fathom_tiling *t, ptrdiff_t count, float *products) {
    const ptrdiff_t rows = (count + 7) / 8 * 8;
    const ptrdiff_t depth = t->input_blocks * WIDE;
    const ptrdiff_t block = t->run * WIDE;
    for (int point = 0; point < POINTS; point++) {
        const float *left = tiles + point * fathom_tile_point(t, t->input_blocks);
        const float *right = weights + point * fathom_weight_point(t);
        float *result = products + point * fathom_tile_point(t, t->output_blocks);
        for (ptrdiff_t b = 0; b < t->output_blocks; b += 2) {
            for (ptrdiff_t piece = 0; piece < t->input_blocks; piece += CHAIN_PIECES) {
                const ptrdiff_t left_over = t->input_blocks - piece;
                const ON_PATH(block_product) p = {
                    .depth = WIDE,
                    .pieces = left_over < CHAIN_PIECES ? left_over : CHAIN_PIECES,
                    .left = left + piece * block,
                    .left_row = WIDE,
                    .left_term = 1,
                    .left_piece = block,
                    .right = right + (b * depth + piece * WIDE) * WIDE,
                    .right_block = depth * WIDE,
                    .result = result + b * block,
                    .result_block = block,
                    .adds = piece > 0,
                };
                ON_PATH(strip)(p, rows, t->output_blocks - b > 1 ? 2 : 1);
            }
        }
    }
}

/// Adds, for every point, transformed patches turned round times transformed gradients.
static void ON_PATH(multiply_gradients)(const float *tiles, const float *gradients,
                                        const fathom_tiling *t, ptrdiff_t count, int adds,
                                        float *points) {
    const ptrdiff_t block = t->run * WIDE;
    for (int point = 0; point < POINTS; point++) {
        const float *left = tiles + point * fathom_tile_point(t, t->input_blocks);
        const float *right = gradients + point * fathom_tile_point(t, t->output_blocks);
        float *result = points + point * fathom_weight_point(t);
        for (ptrdiff_t b = 0; b < t->output_blocks; b += 2) {
            for (ptrdiff_t piece = 0; piece < t->input_blocks; piece++) {
                const ON_PATH(block_product) p = {
                    .depth = count,
                    .pieces = 1,
                    .left = left + piece * block,
                    .left_row = 1,
                    .left_term = WIDE,
                    .right = right + b * block,
                    .right_block = block,
                    .result = result + (b * t->input_blocks + piece) * WIDE * WIDE,
                    .result_block = t->input_blocks * WIDE * WIDE,
                    .adds = adds,
                };
                ON_PATH(strip)(p, WIDE, t->output_blocks - b > 1 ? 2 : 1);
            }
        }
    }
}

// -- Whole convolutions

static void ON_PATH(winograd)(const float *x, const float *weight, const fathom_tiling *t,
                              fathom_weight_use use, const fathom_finish *finish, float *y) {
    const ptrdiff_t padded = t->padded_height * t->padded_width;
    const ptrdiff_t planes_size = t->input_blocks * t->slice * padded * WIDE;
    const ptrdiff_t outputs_size = t->output_blocks * t->slice * t->height * t->width * WIDE;
    const ptrdiff_t tiles_size = POINTS * fathom_tile_point(t, t->input_blocks);
    const ptrdiff_t products_size = POINTS * fathom_tile_point(t, t->output_blocks);
    float *points = fathom_working_memory(FATHOM_WEIGHT_MEMORY,
                                          (size_t)(POINTS * fathom_weight_point(t)));
    float *planes = fathom_working_memory(FATHOM_LEFT_MEMORY, (size_t)planes_size);
    // A block more, as the last sixteen places may be fewer.
    float *outputs = fathom_working_memory(FATHOM_RESULT_MEMORY,
                                           (size_t)(outputs_size + WIDE * WIDE));
    float *tiles =
        fathom_working_memory(FATHOM_TILE_MEMORY, (size_t)(tiles_size + products_size));
    float *products = tiles + tiles_size;
    ON_PATH(transform_weights)(weight, t, use, points);
    for (ptrdiff_t first = 0; first < t->images; first += t->slice) {
        const ptrdiff_t count = t->images - first < t->slice ? t->images - first : t->slice;
        ON_PATH(spread)(x, t->inputs, t->images, first, count, t, planes);
        const ptrdiff_t total = count * t->tiles_down * t->tiles_across;
        for (ptrdiff_t tile = 0; tile < total; tile += t->run) {
            const ptrdiff_t there = total - tile < t->run ? total - tile : t->run;
            ON_PATH(transform_patches)(planes, t->input_blocks, count, t, tile, there, tiles);
            ON_PATH(multiply_points)(tiles, points, t, there, products);
            ON_PATH(transform_outputs)(products, t->output_blocks, count, t, tile, there, outputs);
        }
        ON_PATH(collect)(outputs, t->outputs, t->images, first, count, t, finish, y);
    }
}

static void ON_PATH(winograd_weight)(const float *x, const float *dy, const fathom_tiling *t,
                                     float *dweight) {
    const ptrdiff_t padded = t->padded_height * t->padded_width;
    const ptrdiff_t tiles_size = POINTS * fathom_tile_point(t, t->input_blocks);
    const ptrdiff_t gradients_size = POINTS * fathom_tile_point(t, t->output_blocks);
    float *points = fathom_working_memory(FATHOM_WEIGHT_MEMORY,
                                          (size_t)(POINTS * fathom_weight_point(t)));
    float *planes = fathom_working_memory(FATHOM_LEFT_MEMORY,
                                          (size_t)(t->input_blocks * t->slice * padded * WIDE));
    float *slopes = fathom_working_memory(FATHOM_RESULT_MEMORY,
                                          (size_t)(t->output_blocks * t->slice * padded * WIDE));
    float *tiles =
        fathom_working_memory(FATHOM_TILE_MEMORY, (size_t)(tiles_size + gradients_size));
    float *gradients = tiles + tiles_size;
    int adds = 0;
    for (ptrdiff_t first = 0; first < t->images; first += t->slice) {
        const ptrdiff_t count = t->images - first < t->slice ? t->images - first : t->slice;
        ON_PATH(spread)(x, t->inputs, t->images, first, count, t, planes);
        ON_PATH(spread)(dy, t->outputs, t->images, first, count, t, slopes);
        const ptrdiff_t total = count * t->tiles_down * t->tiles_across;
        for (ptrdiff_t tile = 0; tile < total; tile += t->run) {
            const ptrdiff_t there = total - tile < t->run ? total - tile : t->run;
            ON_PATH(transform_patches)(planes, t->input_blocks, count, t, tile, there, tiles);
            ON_PATH(transform_gradients)(slopes, t->output_blocks, count, t, tile, there,
                                         gradients);
            ON_PATH(multiply_gradients)(tiles, gradients, t, there, adds, points);
            adds = 1;
        }
    }
    ON_PATH(collect_weights)(points, t, dweight);
}

#include "forget_path.h"
