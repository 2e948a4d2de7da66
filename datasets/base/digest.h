/* digest -- SHA-256 through OpenSSL, for everything that must be the same bits. */
#ifndef ASSAY_DATASETS_BASE_DIGEST_H
#define ASSAY_DATASETS_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

typedef struct {
    uint8_t bytes[32];
} assay_digest;

#define ASSAY_DIGEST_HEX 65 /* 64 lower-case hexadecimal digits and the NUL */

typedef struct assay_digester assay_digester;

assay_status assay_digester_open(assay_digester **out) ASSAY_MUST_CHECK;
void assay_digester_free(assay_digester *digester);
/* Adding never fails visibly; a fault inside is told by assay_digester_finish. */
void assay_digester_add(assay_digester *digester, const void *bytes, size_t count);
void assay_digester_add_u64(assay_digester *digester, uint64_t value); /* 8 bytes, little endian */
void assay_digester_add_string(assay_digester *digester,
                               const char *string); /* length, then bytes */
/* Ends the digest and makes the digester ready for the next one. */
assay_status assay_digester_finish(assay_digester *digester, assay_digest *out) ASSAY_MUST_CHECK;

assay_status assay_digest_bytes(const void *bytes, size_t count,
                                assay_digest *out) ASSAY_MUST_CHECK;
assay_status assay_digest_file(const char *path, assay_digest *out) ASSAY_MUST_CHECK;

const char *assay_digest_hex(char out[ASSAY_DIGEST_HEX], const assay_digest *digest);
bool assay_digest_parse(const char *hex, assay_digest *out);
bool assay_digest_equal(const assay_digest *a, const assay_digest *b);
bool assay_digest_is_zero(const assay_digest *digest); /* all zero means "none known" */

#endif
