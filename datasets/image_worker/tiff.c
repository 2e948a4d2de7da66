/* tiff -- whether all that a TIFF's directory points at lies within the file (TIFF 6.0, section 2;
 * BigTIFF).
 *
 * A TIFF has no end of its own, and libtiff passes over tags whose data are missing with a warning
 * that libvips does not see. Only the first directory is walked: a file with another is refused
 * later. */
#include "datasets/image_worker/walk.h"

typedef struct {
    const assay_walk *w;
    bool little;
    bool big; /* BigTIFF: 64-bit counts and offsets */
} tiff;

typedef struct {
    uint64_t type, count;
    size_t at; /* of its first value */
} tiff_field;

static uint64_t number(const tiff *t, size_t at, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | t->w->bytes[t->little ? at + size - 1 - i : at + i];
    return value;
}

/* Bytes of a value of each type, 0 where there is no such type. */
static unsigned size_of_type(uint64_t type) {
    static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
    return type < sizeof sizes ? sizes[type] : 0;
}

static bool fits(const tiff *t, uint64_t from, uint64_t length) {
    return from <= t->w->count && length <= t->w->count - from;
}

/* The field whose entry is at `at`; false with a fault where its values are not all there. */
static bool read_field(const tiff *t, size_t at, tiff_field *out) {
    unsigned width = t->big ? 8 : 4;
    tiff_field field = {number(t, at + 2, 2), number(t, at + 4, width), at + 4 + width};
    unsigned size = size_of_type(field.type);
    if (size > 0 && field.count > UINT64_MAX / size)
        return assay_walk_damaged(t->w, "an impossible count", at);
    if (field.count * size > width) {
        uint64_t offset = number(t, field.at, width);
        if (!fits(t, offset, field.count * size))
            return assay_walk_truncated(t->w, "before the values of a tag");
        field.at = (size_t)offset;
    }
    *out = field;
    return true;
}

static uint64_t value_of(const tiff *t, const tiff_field *field, uint64_t index) {
    unsigned size = size_of_type(field->type);
    return number(t, field->at + (size_t)index * size, size);
}

/* Whether each piece of the picture, a strip or a tile, lies within the file. */
static bool check_pieces(const tiff *t, const tiff_field *offsets, const tiff_field *lengths) {
    if (offsets->count == 0 || lengths->count == 0) return true;
    if (size_of_type(offsets->type) == 0 || size_of_type(lengths->type) == 0)
        return assay_walk_damaged(t->w, "a tag of no known type", offsets->at);
    uint64_t count = offsets->count < lengths->count ? offsets->count : lengths->count;
    for (uint64_t i = 0; i < count; i++)
        if (!fits(t, value_of(t, offsets, i), value_of(t, lengths, i)))
            return assay_walk_truncated(t->w, "within its picture");
    return true;
}

static bool check_directory(const tiff *t, uint64_t directory) {
    enum { STRIP_OFFSETS = 273, STRIP_LENGTHS = 279, TILE_OFFSETS = 324, TILE_LENGTHS = 325 };
    unsigned counter = t->big ? 8 : 2, entry = t->big ? 20 : 12;
    tiff_field strips[2] = {{0}}, tiles[2] = {{0}};
    if (!fits(t, directory, counter)) return assay_walk_truncated(t->w, "before its directory");
    uint64_t entries = number(t, (size_t)directory, counter);
    if (entries == 0 || entries > 65535)
        return assay_walk_damaged(t->w, "an impossible directory", (size_t)directory);
    /* the entries, and where the next directory is */
    if (!fits(t, directory, counter + entries * entry + (t->big ? 8 : 4)))
        return assay_walk_truncated(t->w, "within its directory");
    for (uint64_t i = 0; i < entries; i++) {
        size_t at = (size_t)directory + counter + (size_t)i * entry;
        tiff_field field;
        if (!read_field(t, at, &field)) return false;
        switch (number(t, at, 2)) {
        case STRIP_OFFSETS:
            strips[0] = field;
            break;
        case STRIP_LENGTHS:
            strips[1] = field;
            break;
        case TILE_OFFSETS:
            tiles[0] = field;
            break;
        case TILE_LENGTHS:
            tiles[1] = field;
            break;
        default:
            break;
        }
    }
    return check_pieces(t, &strips[0], &strips[1]) && check_pieces(t, &tiles[0], &tiles[1]);
}

bool assay_tiff_check(const assay_walk *w) {
    if (w->count < 16) return assay_walk_truncated(w, "within its header");
    tiff t = {.w = w, .little = w->bytes[0] == 'I'};
    t.big = number(&t, 2, 2) == 43;
    return check_directory(&t, t.big ? number(&t, 8, 8) : number(&t, 4, 4));
}
