// The packed product on one path: see product.h.

#include "vectors_path.h"

/// rows x columns of one tile: result (+)= left panel x right panel. The left side's rows are
/// `row_step` apart and its terms `term_step`: 1 and TILE_ROWS in a panel.
PATH_INLINE void ON_PATH(block)(ptrdiff_t depth, const float *left, const ptrdiff_t row_step,
                                const ptrdiff_t term_step, const float *right, float *result,
                                ptrdiff_t stride, int adds, const int rows) {
    VECTOR sums[TILE_ROWS][2];
    UNROLLED for (int r = 0; r < rows; r++) {
        sums[r][0] = (VECTOR){0};
        sums[r][1] = (VECTOR){0};
    }
    for (ptrdiff_t p = 0; p < depth; p++, left += term_step, right += TILE_COLUMNS) {
        const VECTOR b0 = LOAD(right), b1 = LOAD(right + LANES_ON_PATH);
        UNROLLED for (int r = 0; r < rows; r++) {
            const VECTOR a = left[r * row_step] - (VECTOR){0};
            sums[r][0] = MULTIPLY_ADD(a, b0, sums[r][0]);
            sums[r][1] = MULTIPLY_ADD(a, b1, sums[r][1]);
        }
    }
    UNROLLED for (int r = 0; r < rows; r++) {
        float *to = result + r * stride;
        if (adds) {
            sums[r][0] += LOAD(to);
            sums[r][1] += LOAD(to + LANES_ON_PATH);
        }
        STORE(sums[r][0], to);
        STORE(sums[r][1], to + LANES_ON_PATH);
    }
}

/// The same for at most one vector of columns.
PATH_INLINE void ON_PATH(narrow_block)(ptrdiff_t depth, const float *left,
                                       const ptrdiff_t row_step, const ptrdiff_t term_step,
                                       const float *right, float *result, ptrdiff_t stride,
                                       int adds) {
    VECTOR sums[TILE_ROWS];
    UNROLLED for (int r = 0; r < TILE_ROWS; r++) sums[r] = (VECTOR){0};
    for (ptrdiff_t p = 0; p < depth; p++, left += term_step, right += TILE_COLUMNS) {
        const VECTOR b = LOAD(right);
        UNROLLED for (int r = 0; r < TILE_ROWS; r++) {
            sums[r] = MULTIPLY_ADD(left[r * row_step] - (VECTOR){0}, b, sums[r]);
        }
    }
    UNROLLED for (int r = 0; r < TILE_ROWS; r++) {
        float *to = result + r * stride;
        if (adds) sums[r] += LOAD(to);
        STORE(sums[r], to);
    }
}

/// A whole tile. Blocks are as large as the registers hold; a sum's order does not depend on them.
PATH_INLINE void ON_PATH(any_tile)(ptrdiff_t depth, const float *left, const ptrdiff_t row_step,
                                   const ptrdiff_t term_step, const float *right, float *result,
                                   ptrdiff_t stride, int adds, ptrdiff_t rows,
                                   ptrdiff_t columns) {
    if (LANES_ON_PATH == 16 && columns <= 16) {
        ON_PATH(narrow_block)(depth, left, row_step, term_step, right, result, stride, adds);
        return;
    }
    for (ptrdiff_t c = 0; c < columns; c += 2 * LANES_ON_PATH) {
        if (BLOCK_ROWS == TILE_ROWS && rows > TILE_ROWS / 2) {
            ON_PATH(block)(depth, left, row_step, term_step, right + c, result + c, stride, adds,
                           TILE_ROWS);
            continue;
        }
        for (ptrdiff_t r = 0; r < rows; r += TILE_ROWS / 2) {
            ON_PATH(block)(depth, left + r * row_step, row_step, term_step, right + c,
                           result + r * stride + c, stride, adds, TILE_ROWS / 2);
        }
    }
}

static void ON_PATH(tile)(ptrdiff_t depth, const float *left, const float *right, float *result,
                          ptrdiff_t stride, int adds, ptrdiff_t rows, ptrdiff_t columns) {
    ON_PATH(any_tile)(depth, left, 1, TILE_ROWS, right, result, stride, adds, rows, columns);
}

/// The same from TILE_ROWS rows of the left side where they lie.
static void ON_PATH(unpacked_tile)(ptrdiff_t depth, const float *left, ptrdiff_t left_stride,
                                   const float *right, float *result, ptrdiff_t stride, int adds,
                                   ptrdiff_t columns) {
    ON_PATH(any_tile)(depth, left, left_stride, 1, right, result, stride, adds, TILE_ROWS, columns);
}

/// Left panels of rows 0..<rows: `to` is [rows / 8, rounded up][depth][8].
static void ON_PATH(pack_left)(const fathom_product_call *call, ptrdiff_t row, ptrdiff_t rows,
                               ptrdiff_t start, ptrdiff_t depth, float *to) {
    const ptrdiff_t panel = depth * TILE_ROWS;
    float *const first = to;
    if (call->left_transposed) {
        // Few terms at a time, so that few lines are read at once and each of them whole.
        for (ptrdiff_t some = 0; some < depth; some += TERMS_TURNED) {
            const ptrdiff_t end = depth - some < TERMS_TURNED ? depth : some + TERMS_TURNED;
            for (ptrdiff_t r = 0; r < rows; r += TILE_ROWS) {
                const float *from = call->left + start * call->left_stride + row + r;
                const ptrdiff_t count = rows - r < TILE_ROWS ? rows - r : TILE_ROWS;
                float *const there = to + r / TILE_ROWS * panel;
                for (ptrdiff_t p = some; p < end; p++) {
                    float *line = there + p * TILE_ROWS;
                    if (count == TILE_ROWS) {
                        UNROLLED for (int i = 0; i < TILE_ROWS; i++) {
                            line[i] = from[p * call->left_stride + i];
                        }
                    } else {
                        for (int i = 0; i < TILE_ROWS; i++) {
                            line[i] = i < count ? from[p * call->left_stride + i] : 0;
                        }
                    }
                }
            }
        }
    } else {
        for (ptrdiff_t r = 0; r < rows; r += 16, to += 2 * panel) {
            const float *from = call->left + (row + r) * call->left_stride + start;
            const ptrdiff_t count = rows - r < 16 ? rows - r : 16;
            for (ptrdiff_t p = 0; p < depth; p += 16) {
                const ptrdiff_t numbers = depth - p < 16 ? depth - p : 16;
                SIXTEEN block[16];
                ON_PATH(gather16)(from + p, call->left_stride, count, numbers, block);
                for (ptrdiff_t i = 0; i < numbers; i++) {
                    float *line = to + (p + i) * TILE_ROWS;
                    __builtin_memcpy(line, &block[i], TILE_ROWS * 4);
                    if (count > TILE_ROWS) {
                        __builtin_memcpy(line + panel, (const float *)&block[i] + TILE_ROWS,
                                         TILE_ROWS * 4);
                    }
                }
            }
        }
    }
    if (call->factor != 1) {
        const ptrdiff_t panels = (rows + TILE_ROWS - 1) / TILE_ROWS;
        for (ptrdiff_t i = 0; i < panels * panel; i++) first[i] *= call->factor;
    }
}

/// A run of places side by side in one row of one output plane.
typedef struct {
    ptrdiff_t from, to, count;
} ON_PATH(run);

/// The runs of columns `column..<column + count` (at most TILE_COLUMNS).
PATH_INLINE int ON_PATH(find_runs)(const fathom_windows *w, ptrdiff_t column, ptrdiff_t count,
                                   ON_PATH(run) * runs) {
    const ptrdiff_t out_plane = w->out_height * w->out_width;
    ptrdiff_t image = column / out_plane, y = column % out_plane / w->out_width;
    ptrdiff_t x = column % w->out_width;
    int found = 0;
    for (ptrdiff_t done = 0; done < count; found++) {
        const ptrdiff_t there = w->out_width - x;
        runs[found].count = there < count - done ? there : count - done;
        runs[found].to = done;
        runs[found].from =
            (image * w->height + y * w->stride) * w->width + x * w->stride;
        done += runs[found].count;
        x = 0;
        if (++y == w->out_height) y = 0, image++;
    }
    return found;
}

/// One tap at all runs. Whole vectors are moved; what is too much is overwritten by the next run
/// or lies beyond the columns that count.
PATH_INLINE void ON_PATH(copy_runs)(const float *from, const ON_PATH(run) * runs, int found,
                                    ptrdiff_t stride, float *to) {
    for (int i = 0; i < found; i++) {
        const float *source = from + runs[i].from;
        float *target = to + runs[i].to;
        const ptrdiff_t count = runs[i].count;
        if (stride == 1) {
            STORE16(LOAD16(source), target);
            if (count > 16) STORE16(LOAD16(source + 16), target + 16);
        } else if (stride == 2) {
            STORE16(EVENS(LOAD16(source), LOAD16(source + 16)), target);
            if (count > 16) {
                STORE16(EVENS(LOAD16(source + 32), LOAD16(source + 48)), target + 16);
            }
        } else {
            for (ptrdiff_t j = 0; j < count; j++) target[j] = source[j * stride];
        }
    }
}

/// One right panel of windows: rows are the taps `start..<start + depth`.
static void ON_PATH(pack_windows)(const fathom_windows *w, ptrdiff_t start, ptrdiff_t depth,
                                  ptrdiff_t column, ptrdiff_t count, float *to) {
    ON_PATH(run) runs[TILE_COLUMNS];
    const int found = ON_PATH(find_runs)(w, column, count, runs);
    const ptrdiff_t taps = w->kernel * w->kernel;
    ptrdiff_t channel = start / taps, ky = start % taps / w->kernel, kx = start % w->kernel;
    for (ptrdiff_t p = 0; p < depth; p++, to += TILE_COLUMNS) {
        const float *from =
            w->planes + (channel * w->images * w->height + ky) * w->width + kx;
        ON_PATH(copy_runs)(from, runs, found, w->stride, to);
        if (++kx < w->kernel) continue;
        kx = 0;
        if (++ky < w->kernel) continue;
        ky = 0;
        channel++;
    }
}

/// One right panel of windows turned round: rows are places, columns taps.
static void ON_PATH(pack_turned_windows)(const fathom_windows *w, ptrdiff_t start,
                                         ptrdiff_t depth, ptrdiff_t column, ptrdiff_t count,
                                         float *to) {
    float taps[TILE_COLUMNS * (TILE_COLUMNS + 1)] __attribute__((aligned(64)));
    for (ptrdiff_t p = 0; p < depth; p += TILE_COLUMNS) {
        const ptrdiff_t places = depth - p < TILE_COLUMNS ? depth - p : TILE_COLUMNS;
        ON_PATH(pack_windows)(w, column, count, start + p, places, taps);
        for (int side = 0; side < TILE_COLUMNS && side < count; side += 16) {
            for (int half = 0; half < places; half += 16) {
                SIXTEEN block[16];
                UNROLLED for (int i = 0; i < 16; i++) {
                    block[i] = LOAD16(taps + (side + i) * TILE_COLUMNS + half);
                }
                ON_PATH(transpose16)(block);
                const ptrdiff_t rows = places - half < 16 ? places - half : 16;
                for (ptrdiff_t i = 0; i < rows; i++) {
                    STORE16(block[i], to + (p + half + i) * TILE_COLUMNS + side);
                }
            }
        }
    }
}

/// One right panel of columns `column..<column + count`, rows `start..<start + depth`. Columns
/// that do not count hold what they will.
static void ON_PATH(pack_right)(const fathom_product_call *call, ptrdiff_t start, ptrdiff_t depth,
                                ptrdiff_t column, ptrdiff_t count, float *to) {
    if (call->windows) {
        if (call->right_transposed) {
            ON_PATH(pack_turned_windows)(call->windows, start, depth, column, count, to);
        } else {
            ON_PATH(pack_windows)(call->windows, start, depth, column, count, to);
        }
        return;
    }
    if (!call->right_transposed) {
        const float *from = call->right + start * call->right_stride + column;
        for (ptrdiff_t p = 0; p < depth; p++, from += call->right_stride, to += TILE_COLUMNS) {
            if (count == TILE_COLUMNS) {
                STORE16(LOAD16(from), to);
                STORE16(LOAD16(from + 16), to + 16);
                continue;
            }
            for (int i = 0; i < TILE_COLUMNS; i++) to[i] = i < count ? from[i] : 0;
        }
        return;
    }
    for (int half = 0; half < TILE_COLUMNS; half += 16) {
        const ptrdiff_t left_over = count - half;
        const ptrdiff_t there = left_over < 0 ? 0 : left_over > 16 ? 16 : left_over;
        const float *from = call->right + (column + half) * call->right_stride + start;
        for (ptrdiff_t p = 0; p < depth; p += 16) {
            const ptrdiff_t numbers = depth - p < 16 ? depth - p : 16;
            SIXTEEN block[16];
            ON_PATH(gather16)(from + p, call->right_stride, there, numbers, block);
            for (ptrdiff_t i = 0; i < numbers; i++) {
                STORE16(block[i], to + (p + i) * TILE_COLUMNS + half);
            }
        }
    }
}

/// All tiles of the rows `row..<end` and one right panel. `packed` are the packed rows
/// `packed_from` and on; whole tiles of rows before them are read where they lie, from term `start`.
static void ON_PATH(panel)(const fathom_product_call *call, ptrdiff_t start, ptrdiff_t depth,
                           ptrdiff_t row, ptrdiff_t end, const float *packed,
                           ptrdiff_t packed_from, const float *right, ptrdiff_t column,
                           ptrdiff_t columns) {
    const int adds = call->adds || start > 0;
    const ptrdiff_t stride = call->result_stride;
    for (ptrdiff_t r = row; r < end; r += TILE_ROWS) {
        const int is_packed = r >= packed_from;
        const ptrdiff_t count = end - r < TILE_ROWS ? end - r : TILE_ROWS;
        float *to = call->result + r * stride + column;
        const float *left = is_packed ? packed + (r - packed_from) * depth
                                      : call->left + r * call->left_stride + start;
        const int is_whole = count == TILE_ROWS && columns == TILE_COLUMNS;
        float edge[TILE_ROWS * TILE_COLUMNS] __attribute__((aligned(64)));
        float *const there = is_whole ? to : edge;
        const ptrdiff_t there_stride = is_whole ? stride : TILE_COLUMNS;
        if (is_packed) {
            ON_PATH(tile)(depth, left, right, there, there_stride, is_whole && adds, count,
                          columns);
        } else {
            ON_PATH(unpacked_tile)(depth, left, call->left_stride, right, there, there_stride,
                                   is_whole && adds, columns);
        }
        if (is_whole) continue;
        for (ptrdiff_t i = 0; i < count; i++) {
            float *line = to + i * stride;
            const float *from = edge + i * TILE_COLUMNS;
            if (adds) {
                for (ptrdiff_t j = 0; j < columns; j++) line[j] += from[j];
            } else {
                for (ptrdiff_t j = 0; j < columns; j++) line[j] = from[j];
            }
        }
    }
}

static void ON_PATH(pack_whole_left)(const fathom_product_call *call, float *packed) {
    const ptrdiff_t padded_rows = (call->rows + 15) / 16 * 16;
    for (ptrdiff_t p = 0; p < call->depth; p += DEPTH_MAX) {
        const ptrdiff_t depth = call->depth - p < DEPTH_MAX ? call->depth - p : DEPTH_MAX;
        ON_PATH(pack_left)(call, 0, call->rows, p, depth, packed + padded_rows * p);
    }
}

/// Depth by depth, so that what is packed stays near. With many columns the left side's part is
/// packed once and each right panel just before it is used. Few columns would not repay that: then
/// all right panels are packed once, and of the left side some rows at a time, or none where whole
/// tiles can be read as they lie.
static void ON_PATH(product)(const fathom_product_call *call) {
    const ptrdiff_t padded_rows = (call->rows + 15) / 16 * 16;
    const int is_narrow = !call->packed_left && call->columns <= COLUMNS_NARROW;
    const int is_read = is_narrow && !call->left_transposed && call->factor == 1;
    const ptrdiff_t packed_from = is_read ? call->rows / TILE_ROWS * TILE_ROWS : 0;
    const ptrdiff_t chunk = is_narrow && !is_read ? ROWS_NARROW : call->rows;
    const ptrdiff_t panel = (DEPTH_MAX + 1) * TILE_COLUMNS;
    float *const rights =
        fathom_working_memory(FATHOM_RIGHT_MEMORY, panel * (COLUMNS_NARROW / TILE_COLUMNS));
    float *packed = call->packed_left
                        ? 0
                        : fathom_working_memory(FATHOM_LEFT_MEMORY,
                                                fathom_packed_left_size(call->rows, DEPTH_MAX));
    for (ptrdiff_t p = 0; p < call->depth; p += DEPTH_MAX) {
        const ptrdiff_t depth = call->depth - p < DEPTH_MAX ? call->depth - p : DEPTH_MAX;
        for (ptrdiff_t row = 0; row < call->rows; row += chunk) {
            const ptrdiff_t end = call->rows - row < chunk ? call->rows : row + chunk;
            const ptrdiff_t from = packed_from > row ? packed_from : row;
            if (packed) ON_PATH(pack_left)(call, from, end - from, p, depth, packed);
            const float *left = packed ? packed : call->packed_left + padded_rows * p;
            for (ptrdiff_t c = 0; c < call->columns; c += TILE_COLUMNS) {
                const ptrdiff_t left_over = call->columns - c;
                const ptrdiff_t count = left_over < TILE_COLUMNS ? left_over : TILE_COLUMNS;
                float *right = rights + (is_narrow ? c / TILE_COLUMNS * panel : 0);
                if (row == 0) ON_PATH(pack_right)(call, p, depth, c, count, right);
                ON_PATH(panel)(call, p, depth, row, end, left, from, right, c, count);
            }
        }
    }
}

#include "forget_path.h"
