// Winograd's F(4x4, 3x3) for 3x3 convolutions of stride 1 and padding 1 (Lavin and Gray, 2016): 36
// products a tile instead of 144.
//
// Channels lie in blocks of sixteen, one vector each, so that the transforms need no shuffles:
//   planes   [channels / 16][images][height][width][16], padded to whole tiles
//   tiles    [36][channels / 16][tiles][16]
//   weights  [36][outputs / 16][inputs][16]
// A right side of a product, weights or tiles, is read in such blocks, a left side one number at a
// time; no packing is needed between.
#ifndef FATHOM_WINOGRAD_H
#define FATHOM_WINOGRAD_H

#include "kernels.h"
#include "paths.h"

enum { POINTS = 36, PATCH = 6, SIDE = 4, WIDE = 16 };

/// Sizes of one call, a pure function of its shape.
typedef struct {
    ptrdiff_t inputs, outputs, images, height, width;
    /// Blocks of sixteen channels.
    ptrdiff_t input_blocks, output_blocks;
    /// Tiles of a plane, and the plane padded to hold them.
    ptrdiff_t tiles_down, tiles_across, padded_height, padded_width;
    /// Images whose planes are rearranged at a time, and tiles worked on at a time.
    ptrdiff_t slice, run;
} fathom_tiling;

/// From one point to the next: a line of memory more than the numbers need, for powers of two would
/// bring all points of a tile into the same few places of the cache.
static inline ptrdiff_t fathom_tile_point(const fathom_tiling *t, ptrdiff_t blocks) {
    return blocks * t->run * WIDE + WIDE;
}
static inline ptrdiff_t fathom_weight_point(const fathom_tiling *t) {
    return t->output_blocks * t->input_blocks * WIDE * WIDE + WIDE;
}

/// How a weight is read: as it is, or as the input gradient needs it, with inputs and outputs
/// exchanged and the taps turned round.
typedef enum { FORWARD_WEIGHT, TURNED_WEIGHT } fathom_weight_use;

#endif
