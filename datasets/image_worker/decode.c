/* decode -- pixels out of encoded bytes, through libvips.
 *
 * Orientation of EXIF or TIFF is applied, 16 bits become 8, CMYK and the like become sRGB, what is
 * transparent lies on white. Embedded profiles of images that are red, green and blue already are
 * not applied. Grey out of colour is Y' of ITU-R BT.601 in integers, so that it does not change
 * with a version of a library. Any warning of a decoder is a refusal (fail_on). */
#include "datasets/image_worker/decode.h"

#include <stdio.h>
#include <string.h>
#include <vips/vips.h>

#include "datasets/image.h"
#include "datasets/image_worker/format.h"

bool assay_decode_start(const char *program) {
    static const char *const loaders[] = {"VipsForeignLoadJpeg", "VipsForeignLoadPng",
                                          "VipsForeignLoadJp2k", "VipsForeignLoadTiff",
                                          "VipsForeignLoadWebp", "VipsForeignLoadPpm"};
    if (VIPS_INIT(program) != 0) return false;
    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    for (size_t i = 0; i < sizeof loaders / sizeof *loaders; i++)
        vips_operation_block_set(loaders[i], FALSE);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    return true;
}

/* --- faults ----------------------------------------------------------------------------------- */

/* First line of what libvips says, without the name of its part, behind what and the format. */
static bool refuse_by_library(const char *what, const char *name, char *fault, size_t fault_size) {
    const char *said = vips_error_buffer();
    size_t length = strcspn(said, "\n");
    const char *colon = memchr(said, ':', length);
    if (colon != NULL && colon[1] == ' ' && memchr(said, ' ', (size_t)(colon - said)) == NULL) {
        length -= (size_t)(colon + 2 - said);
        said = colon + 2;
    }
    if (length > 0)
        snprintf(fault, fault_size, "%s %s: %.*s", what, name, (int)length, said);
    else
        snprintf(fault, fault_size, "%s %s", what, name);
    vips_error_clear();
    return false;
}

/* --- steps: each takes *image over and leaves the next one there ------------------------------ */

static void replace(VipsImage **image, VipsImage *next) {
    g_object_unref(*image);
    *image = next;
}

static VipsImage *load_pnm(const uint8_t *bytes, size_t count) {
    VipsImage *image = NULL;
    VipsSource *source = vips_source_new_from_memory(bytes, count);
    if (source == NULL) return NULL;
    if (vips_ppmload_source(source, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                            VIPS_FAIL_ON_WARNING, NULL) != 0)
        image = NULL;
    g_object_unref(source); /* the image holds it as long as it must */
    return image;
}

static VipsImage *load(const assay_format_kind *kind, const uint8_t *bytes, size_t count) {
    typedef int loader(void *, size_t, VipsImage **, ...);
    static loader *const loaders[ASSAY_FORMAT_COUNT] = {
        [ASSAY_FORMAT_JPEG] = vips_jpegload_buffer,      [ASSAY_FORMAT_PNG] = vips_pngload_buffer,
        [ASSAY_FORMAT_JPEG_2000] = vips_jp2kload_buffer, [ASSAY_FORMAT_TIFF] = vips_tiffload_buffer,
        [ASSAY_FORMAT_WEBP] = vips_webpload_buffer,
    };
    VipsImage *image = NULL;
    if (kind->format == ASSAY_FORMAT_PNM) return load_pnm(bytes, count);
    if (loaders[kind->format]((void *)bytes, count, &image, "access", VIPS_ACCESS_SEQUENTIAL,
                              "fail_on", VIPS_FAIL_ON_WARNING, NULL) != 0)
        return NULL;
    return image;
}

/* What only the header says, before any pixel is decoded. */
static bool accept_header(VipsImage *image, const assay_format_kind *kind, char *fault,
                          size_t fault_size) {
    uint64_t pixels =
        (uint64_t)vips_image_get_width(image) * (uint64_t)vips_image_get_height(image);
    if (pixels > ASSAY_IMAGE_PIXEL_CAP) {
        snprintf(fault, fault_size, "%s of %d x %d pixels, more than %llu", kind->name,
                 vips_image_get_width(image), vips_image_get_height(image),
                 (unsigned long long)ASSAY_IMAGE_PIXEL_CAP);
        return false;
    }
    int pages = vips_image_get_n_pages(image);
    if (pages > 1 && kind->format != ASSAY_FORMAT_JPEG_2000) { /* whose are its resolutions */
        snprintf(fault, fault_size, "%s of %d pictures, one was expected", kind->name, pages);
        return false;
    }
    VipsBandFormat format = vips_image_get_format(image);
    if (vips_image_get_coding(image) != VIPS_CODING_NONE ||
        (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT)) {
        snprintf(fault, fault_size, "%s whose samples are not of 1 to 16 bits", kind->name);
        return false;
    }
    return true;
}

/* A PNM's own value of white becomes 255 or 65535; libvips leaves samples as they are. */
static bool stretch_pnm(VipsImage **image, const assay_format_kind *kind) {
    uint32_t full = kind->maximum > 255 ? 65535 : 255;
    if (kind->format != ASSAY_FORMAT_PNM || kind->maximum == 1 || kind->maximum == full)
        return true;
    VipsImage *next = NULL;
    if (vips_linear1(*image, &next, (double)full / kind->maximum, 0.5, NULL) != 0) return false;
    replace(image, next);
    if (vips_cast(*image, &next, full == 255 ? VIPS_FORMAT_UCHAR : VIPS_FORMAT_USHORT, NULL) != 0)
        return false;
    replace(image, next);
    return true;
}

/* 8 bits a sample, one grey or three sRGB channels, upright, on white. */
static bool convert(VipsImage **image) {
    VipsImage *next = NULL;
    if (vips_image_get_orientation(*image) > 1) { /* turning reads rows in another order */
        next = vips_image_copy_memory(*image);
        if (next == NULL) return false;
        replace(image, next);
    }
    if (vips_autorot(*image, &next, NULL) != 0) return false;
    replace(image, next);
    bool alpha = vips_image_hasalpha(*image);
    bool grey = vips_image_get_bands(*image) - (alpha ? 1 : 0) < 3;
    VipsInterpretation wanted = grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    if (vips_colourspace(*image, &next, wanted, NULL) != 0) return false;
    replace(image, next);
    if (alpha) {
        VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
        int failed = vips_flatten(*image, &next, "background", white, "max_alpha", 255.0, NULL);
        vips_area_unref(VIPS_AREA(white));
        if (failed) return false;
        replace(image, next);
    }
    if (vips_cast_uchar(*image, &next, NULL) != 0) return false;
    replace(image, next);
    return true;
}

/* --- channels --------------------------------------------------------------------------------- */

static void grey_of_colour(uint8_t *pixels, size_t count) {
    /* 0.299, 0.587 and 0.114 in 1/65536: they add up to 1, so that white stays 255. In place. */
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = pixels + 3 * i;
        pixels[i] = (uint8_t)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 32768u) >> 16);
    }
}

static uint8_t *colour_of_grey(const uint8_t *pixels, size_t count) {
    uint8_t *colour = g_try_malloc(3 * count);
    for (size_t i = 0; colour != NULL && i < count; i++) memset(colour + 3 * i, pixels[i], 3);
    return colour;
}

/* Evaluates image (all decoding happens here) and makes its bands the channels asked for. */
static bool take_pixels(VipsImage *image, uint32_t channels, assay_decoded *out) {
    size_t size = 0;
    uint32_t bands = (uint32_t)vips_image_get_bands(image);
    uint8_t *pixels = vips_image_write_to_memory(image, &size);
    if (pixels == NULL) return false;
    assay_decoded made = {.width = (uint32_t)vips_image_get_width(image),
                          .height = (uint32_t)vips_image_get_height(image),
                          .channels = channels,
                          .pixels = pixels};
    size_t count = (size_t)made.width * made.height;
    if (size != count * bands || (bands != 1 && bands != 3)) {
        vips_error("decoder", "its colours are of no kind that is known here");
        assay_decode_free(&made);
        return false;
    }
    if (bands == 3 && channels == 1) grey_of_colour(pixels, count);
    if (bands == 1 && channels == 3) {
        made.pixels = colour_of_grey(pixels, count);
        g_free(pixels);
        if (made.pixels == NULL) {
            vips_error("decoder", "out of memory");
            return false;
        }
    }
    *out = made;
    return true;
}

void assay_decode_free(assay_decoded *image) {
    g_free(image->pixels);
    *image = (assay_decoded){0};
}

bool assay_decode_image(const uint8_t *bytes, size_t count, uint32_t channels, assay_decoded *out,
                        char *fault, size_t fault_size) {
    assay_format_kind kind;
    if (!assay_format_recognise(bytes, count, ASSAY_IMAGE_PIXEL_CAP, &kind, fault, fault_size))
        return false;
    vips_error_clear();
    VipsImage *image = load(&kind, bytes, count);
    if (image == NULL) return refuse_by_library("damaged", kind.name, fault, fault_size);
    bool accepted = accept_header(image, &kind, fault, fault_size);
    if (accepted)
        accepted =
            (stretch_pnm(&image, &kind) && convert(&image) && take_pixels(image, channels, out)) ||
            refuse_by_library("damaged", kind.name, fault, fault_size);
    if (accepted && *vips_error_buffer() != '\0') {
        /* A warning at the last rows comes too late for libvips itself to fail on it. */
        accepted = refuse_by_library("damaged", kind.name, fault, fault_size);
        assay_decode_free(out);
    }
    g_object_unref(image);
    return accepted;
}
