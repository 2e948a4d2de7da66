/* digest -- SHA-256 through OpenSSL, for everything that must be the same bits. */
#include "datasets/base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/memory.h"

struct assay_digester {
    EVP_MD_CTX *context;
    bool broken;
};

static bool begin(assay_digester *digester) {
    return EVP_DigestInit_ex(digester->context, EVP_sha256(), NULL) == 1;
}

assay_status assay_digester_open(assay_digester **out) {
    assay_digester *digester = NULL;
    assay_status status = assay_allocate(&digester, 1, sizeof *digester, "a digest");
    if (status != ASSAY_OK) return status;
    digester->context = EVP_MD_CTX_new();
    if (digester->context == NULL || !begin(digester)) {
        assay_digester_free(digester);
        return assay_fail(ASSAY_FAILED, "cannot start a SHA-256 digest in OpenSSL: is memory out?");
    }
    *out = digester;
    return ASSAY_OK;
}

void assay_digester_free(assay_digester *digester) {
    if (digester == NULL) return;
    EVP_MD_CTX_free(digester->context);
    free(digester);
}

void assay_digester_add(assay_digester *digester, const void *bytes, size_t count) {
    if (EVP_DigestUpdate(digester->context, bytes, count) != 1) digester->broken = true;
}

void assay_digester_add_u64(assay_digester *digester, uint64_t value) {
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> (8 * i));
    assay_digester_add(digester, bytes, sizeof bytes);
}

void assay_digester_add_string(assay_digester *digester, const char *string) {
    size_t length = strlen(string);
    assay_digester_add_u64(digester, length);
    assay_digester_add(digester, string, length);
}

assay_status assay_digester_finish(assay_digester *digester, assay_digest *out) {
    assay_digest digest = {{0}};
    bool right = EVP_DigestFinal_ex(digester->context, digest.bytes, NULL) == 1;
    right = right && !digester->broken;
    digester->broken = !begin(digester);
    if (!right)
        return assay_fail(ASSAY_FAILED, "a SHA-256 digest failed inside OpenSSL: is memory out?");
    *out = digest;
    return ASSAY_OK;
}

assay_status assay_digest_bytes(const void *bytes, size_t count, assay_digest *out) {
    assay_digest digest = {{0}};
    if (EVP_Digest(bytes, count, digest.bytes, NULL, EVP_sha256(), NULL) != 1)
        return assay_fail(ASSAY_FAILED, "a SHA-256 digest failed inside OpenSSL: is memory out?");
    *out = digest;
    return ASSAY_OK;
}

assay_status assay_digest_file(const char *path, assay_digest *out) {
    enum { BLOCK = 1 << 20 };
    assay_digester *digester = NULL;
    uint8_t *block = NULL;
    int fd = -1;
    assay_status status = assay_allocate(&block, BLOCK, 1, "a block of a file");
    if (status != ASSAY_OK) goto out;
    status = assay_digester_open(&digester);
    if (status != ASSAY_OK) goto out;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        status = assay_fail_errno("cannot open %s to digest it", path);
        goto out;
    }
    for (;;) {
        ssize_t count = read(fd, block, BLOCK);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            status = assay_fail_errno("cannot read %s to digest it", path);
            goto out;
        }
        if (count == 0) break;
        assay_digester_add(digester, block, (size_t)count);
    }
    status = assay_digester_finish(digester, out);
out:
    if (fd >= 0) close(fd);
    assay_digester_free(digester);
    free(block);
    return status;
}

const char *assay_digest_hex(char out[ASSAY_DIGEST_HEX], const assay_digest *digest) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof digest->bytes; i++) {
        out[2 * i] = digits[digest->bytes[i] >> 4];
        out[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    out[ASSAY_DIGEST_HEX - 1] = '\0';
    return out;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool assay_digest_parse(const char *hex, assay_digest *out) {
    assay_digest digest;
    if (strlen(hex) != ASSAY_DIGEST_HEX - 1) return false;
    for (size_t i = 0; i < sizeof digest.bytes; i++) {
        int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        digest.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = digest;
    return true;
}

bool assay_digest_equal(const assay_digest *a, const assay_digest *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool assay_digest_is_zero(const assay_digest *digest) {
    static const assay_digest zero = {{0}};
    return assay_digest_equal(digest, &zero);
}
