// libpng reports errors by longjmp, which must not cross Swift: here they become return values.
#ifndef FATHOM_PNG_H
#define FATHOM_PNG_H

#include <png.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/// A decoded or to be encoded image. Rows follow each other without padding; 16-bit samples are
/// in the machine's order. What `fathom_png_read` hands out is given back by `fathom_png_release`.
typedef struct {
    uint32_t width;
    uint32_t height;
    int bit_depth;
    int color_type;
    int channels;
    uint8_t *samples;
    size_t sample_bytes;
    uint8_t palette[768];
    int palette_count;
    /// How much of a file was read when something was found wrong, and what that was.
    size_t offset;
    char message[160];
} fathom_png;

typedef struct {
    fathom_png *image;
    const uint8_t *source;
    size_t source_bytes;
    uint8_t *target;
    size_t target_bytes;
    size_t target_room;
    png_bytep *rows;
    jmp_buf *end;
} fathom_png_work;

static inline void fathom_png_fail(png_structp png, png_const_charp message) {
    fathom_png_work *work = (fathom_png_work *)png_get_error_ptr(png);
    strncpy(work->image->message, message, sizeof work->image->message - 1);
    longjmp(*work->end, 1);
}

static inline void fathom_png_ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static inline void fathom_png_take(png_structp png, png_bytep bytes, size_t count) {
    fathom_png_work *work = (fathom_png_work *)png_get_io_ptr(png);
    if (count > work->source_bytes - work->image->offset) png_error(png, "the end of the file");
    memcpy(bytes, work->source + work->image->offset, count);
    work->image->offset += count;
}

static inline void fathom_png_give(png_structp png, png_bytep bytes, size_t count) {
    fathom_png_work *work = (fathom_png_work *)png_get_io_ptr(png);
    if (count > work->target_room - work->target_bytes) {
        size_t room = 2 * work->target_room + count;
        uint8_t *grown = (uint8_t *)realloc(work->target, room);
        if (!grown) png_error(png, "no memory");
        work->target = grown;
        work->target_room = room;
    }
    memcpy(work->target + work->target_bytes, bytes, count);
    work->target_bytes += count;
}

static inline void fathom_png_flush(png_structp png) { (void)png; }

static inline void fathom_png_decode(
    png_structp png, png_infop info, fathom_png_work *work, uint64_t pixels_max) {
    fathom_png *image = work->image;
    png_colorp palette;
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_chunk_malloc_max(png, 1 << 24);
    png_set_read_fn(png, work, fathom_png_take);
    png_read_info(png, info);
    image->width = png_get_image_width(png, info);
    image->height = png_get_image_height(png, info);
    if ((uint64_t)image->width * image->height > pixels_max) png_error(png, "too many pixels");
    if (png_get_interlace_type(png, info) != PNG_INTERLACE_NONE) png_error(png, "Adam7 interlace");
    image->color_type = png_get_color_type(png, info);
    if (png_get_PLTE(png, info, &palette, &image->palette_count))
        for (int entry = 0; entry < image->palette_count; entry++) {
            image->palette[3 * entry] = palette[entry].red;
            image->palette[3 * entry + 1] = palette[entry].green;
            image->palette[3 * entry + 2] = palette[entry].blue;
        }
    png_set_packing(png);
    if (png_get_bit_depth(png, info) == 16) png_set_swap(png);
    png_read_update_info(png, info);
    image->bit_depth = png_get_bit_depth(png, info);
    image->channels = png_get_channels(png, info);
    size_t row_bytes = png_get_rowbytes(png, info);
    image->sample_bytes = row_bytes * image->height;
    image->samples = (uint8_t *)malloc(image->sample_bytes);
    work->rows = (png_bytep *)malloc(image->height * sizeof(png_bytep));
    if (!image->samples || !work->rows) png_error(png, "no memory");
    for (uint32_t row = 0; row < image->height; row++)
        work->rows[row] = image->samples + row * row_bytes;
    png_read_image(png, work->rows);
    png_read_end(png, NULL);
    if (image->offset != work->source_bytes) png_error(png, "bytes after the end of the image");
}

/// Decodes a file in memory, every chunk's checksum verified, samples as they are stored (palette
/// indices too, fewer than eight bits in bytes of their own). Answers 0, or 1 with a message.
static inline int fathom_png_read(
    const uint8_t *source, size_t source_bytes, uint64_t pixels_max, fathom_png *image) {
    jmp_buf end;
    fathom_png_work work = {.image = image, .source = source, .source_bytes = source_bytes};
    memset(image, 0, sizeof *image);
    work.end = &end;
    png_structp volatile png = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, &work, fathom_png_fail, fathom_png_ignore);
    png_infop volatile info = png ? png_create_info_struct(png) : NULL;
    volatile int failed = 1;
    if (info && setjmp(end) == 0) {
        fathom_png_decode(png, info, &work, pixels_max);
        failed = 0;
    }
    free(work.rows);
    png_structp read_struct = png;
    png_infop info_struct = info;
    png_destroy_read_struct(&read_struct, &info_struct, NULL);
    return failed;
}

/// Encodes an image; the file's bytes come in `*bytes`, to be freed with `free`. Answers 0, or 1
/// with a message.
static inline int fathom_png_write(
    fathom_png *image, const uint8_t *samples, uint8_t **bytes, size_t *count) {
    jmp_buf end;
    fathom_png_work work = {.image = image};
    work.end = &end;
    png_structp volatile png = png_create_write_struct(
        PNG_LIBPNG_VER_STRING, &work, fathom_png_fail, fathom_png_ignore);
    png_infop volatile info = png ? png_create_info_struct(png) : NULL;
    volatile int failed = 1;
    if (info && setjmp(end) == 0) {
        size_t row_bytes = (size_t)image->width * image->channels * (image->bit_depth / 8);
        png_set_write_fn(png, &work, fathom_png_give, fathom_png_flush);
        png_set_IHDR(
            png, info, image->width, image->height, image->bit_depth, image->color_type,
            PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_write_info(png, info);
        if (image->bit_depth == 16) png_set_swap(png);
        for (uint32_t row = 0; row < image->height; row++)
            png_write_row(png, samples + row * row_bytes);
        png_write_end(png, NULL);
        failed = 0;
    }
    png_structp write_struct = png;
    png_infop info_struct = info;
    png_destroy_write_struct(&write_struct, &info_struct);
    if (failed) {
        free(work.target);
        return 1;
    }
    *bytes = work.target;
    *count = work.target_bytes;
    return 0;
}

static inline void fathom_png_release(fathom_png *image) {
    free(image->samples);
    image->samples = NULL;
}

#endif
