/* frte -- a plug-in that runs a library with NIST's FRTE 1:1 C++ interface, versions 4 and 5. It is
 * built against the headers that the user has from NIST (ASSAY_FRTE_INCLUDE); none of them is here.
 *
 * The configuration directory is laid out as for NIST: lib/libfrvt_11_*.so and config/. README.md
 * has the parameters. A version of the library other than that of the headers is refused: vtables
 * and images differ. */
#include <dlfcn.h>
#include <glob.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

/* Not extern: so the headers' own version is a number of this plug-in. */
#include <frvt11.h>

#include "harness/algorithm.h"

namespace {

constexpr uint32_t template_bytes_default = 1u << 18;

struct frte {
    std::shared_ptr<FRVT_11::Interface> vendor;
    std::string vendor_library, directory = "config", version, comparator = "cosine", resolved;
    uint32_t template_bytes = template_bytes_default, roles = 1, channels = 3;
    uint32_t vector_offset = 0, vector_length = 0;
    double bound = 0, scale = 1, shift = 0;
};

/* What a return code means for a sample. */
struct code {
    const char *name;
    assay_outcome outcome;
};
const code codes[] = {
    {"Success", ASSAY_OUTCOME_OK},
    {"UnknownError", ASSAY_OUTCOME_FAILED},
    {"ConfigError", ASSAY_OUTCOME_FAILED},
    {"RefuseInput", ASSAY_OUTCOME_REFUSED},
    {"ExtractError", ASSAY_OUTCOME_FAILED},
    {"ParseError", ASSAY_OUTCOME_FAILED},
    {"TemplateCreationError", ASSAY_OUTCOME_FAILED},
    {"VerifTemplateError", ASSAY_OUTCOME_FAILED},
    {"FaceDetectionError", ASSAY_OUTCOME_REFUSED},
    {"NumDataError", ASSAY_OUTCOME_REFUSED},
    {"TemplateFormatError", ASSAY_OUTCOME_FAILED},
    {"EnrollDirError", ASSAY_OUTCOME_FAILED},
    {"InputLocationError", ASSAY_OUTCOME_FAILED},
    {"MemoryError", ASSAY_OUTCOME_FAILED},
    {"MatchError", ASSAY_OUTCOME_FAILED},
    {"QualityAssessmentError", ASSAY_OUTCOME_FAILED},
    {"NotImplemented", ASSAY_OUTCOME_FAILED},
    {"VendorError", ASSAY_OUTCOME_FAILED},
};
constexpr size_t code_count = sizeof codes / sizeof *codes;

assay_outcome tell(const FRVT::ReturnStatus &status, char *text, size_t text_size) {
    size_t number = static_cast<size_t>(status.code);
    if (number == 0) return ASSAY_OUTCOME_OK;
    const code &met = number < code_count ? codes[number] : codes[1];
    std::snprintf(text, text_size, "%s (%zu)%s%s", met.name, number,
                  status.info.empty() ? "" : ": ", status.info.c_str());
    return met.outcome;
}

assay_outcome fail(assay_outcome outcome, char *text, size_t text_size, const std::string &what) {
    std::snprintf(text, text_size, "%s", what.c_str());
    return outcome;
}

/* ---- parameters ---- */

bool whole(const char *value, uint32_t most, uint32_t *out) {
    char *end;
    unsigned long number = std::strtoul(value, &end, 10);
    if (*value == '\0' || *end != '\0' || number > most) return false;
    *out = static_cast<uint32_t>(number);
    return true;
}

bool real(const char *value, double *out) {
    char *end;
    double number = std::strtod(value, &end);
    if (*value == '\0' || *end != '\0' || !std::isfinite(number)) return false;
    *out = number;
    return true;
}

bool take(frte &self, const std::string &key, const char *value) {
    if (key == "library")
        self.vendor_library = value;
    else if (key == "directory")
        self.directory = value;
    else if (key == "vector_comparator")
        self.comparator = value;
    else if (key == "template_bytes")
        return whole(value, 64u << 20, &self.template_bytes);
    else if (key == "roles")
        return whole(value, 1, &self.roles);
    else if (key == "grey")
        return whole(value, 1, &self.channels) && (self.channels = self.channels ? 1 : 3);
    else if (key == "vector_offset")
        return whole(value, 64u << 20, &self.vector_offset);
    else if (key == "vector_length")
        return whole(value, 4096, &self.vector_length);
    else if (key == "vector_bound")
        return real(value, &self.bound);
    else if (key == "vector_scale")
        return real(value, &self.scale);
    else if (key == "vector_shift")
        return real(value, &self.shift);
    else
        return false;
    return true;
}

/* ---- the vendor's library ---- */

std::string find_library(const frte &self, const std::string &root) {
    if (!self.vendor_library.empty())
        return self.vendor_library[0] == '/' ? self.vendor_library
                                             : root + "/" + self.vendor_library;
    glob_t found = {};
    std::string path;
    if (glob((root + "/lib/libfrvt_11_*.so").c_str(), 0, nullptr, &found) == 0 &&
        found.gl_pathc == 1)
        path = found.gl_pathv[0];
    globfree(&found);
    return path;
}

template <typename number> bool symbol(void *library, const char *name, number *out) {
    const void *at = dlsym(library, name);
    if (at == nullptr) return false;
    std::memcpy(out, at, sizeof *out);
    return true;
}

/* "" where the library speaks the version that these headers describe. */
std::string check_version(frte &self, void *library) {
    uint16_t major = 0, minor = 0, structs = 0;
    if (!symbol(library, "_ZN7FRVT_1117API_MAJOR_VERSIONE", &major) ||
        !symbol(library, "_ZN7FRVT_1117API_MINOR_VERSIONE", &minor) ||
        !symbol(library, "_ZN4FRVT26FRVT_STRUCTS_MAJOR_VERSIONE", &structs))
        return "it does not export the versions of its interface";
    self.version = std::to_string(major) + "." + std::to_string(minor);
    if (major != 4 && major != 5)
        return "it speaks version " + self.version + " of the interface, expected 4 or 5";
    if (major != FRVT_11::API_MAJOR_VERSION)
        return "it speaks version " + self.version +
               ", and this plug-in was built against version " +
               std::to_string(FRVT_11::API_MAJOR_VERSION);
    if (structs != FRVT::FRVT_STRUCTS_MAJOR_VERSION)
        return "its structs are of version " + std::to_string(structs) +
               ", those of the headers of " + std::to_string(FRVT::FRVT_STRUCTS_MAJOR_VERSION);
    return "";
}

assay_outcome load(frte &self, const std::string &root, char *text, size_t text_size) {
    std::string path = find_library(self, root);
    if (path.empty())
        return fail(
            ASSAY_OUTCOME_REFUSED, text, text_size,
            "expected one lib/libfrvt_11_*.so in the configuration directory, or `library`");
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return fail(ASSAY_OUTCOME_FAILED, text, text_size, dlerror());
    std::string fault = check_version(self, library);
    if (!fault.empty()) return fail(ASSAY_OUTCOME_REFUSED, text, text_size, fault);
    using maker = std::shared_ptr<FRVT_11::Interface> (*)();
    maker make = nullptr;
    *reinterpret_cast<void **>(&make) =
        dlsym(library, "_ZN7FRVT_119Interface17getImplementationEv");
    if (make == nullptr)
        return fail(ASSAY_OUTCOME_FAILED, text, text_size,
                    "it does not export FRVT_11::Interface::getImplementation");
    self.vendor = make();
    if (!self.vendor)
        return fail(ASSAY_OUTCOME_FAILED, text, text_size, "getImplementation gives nothing");
    size_t slash = path.rfind('/');
    self.resolved = "library=" + path.substr(slash + 1) + " api=" + self.version;
    return tell(self.vendor->initialize(root + "/" + self.directory), text, text_size);
}

/* An exception of the vendor's is a failure with its words. */
template <typename work> assay_outcome guard(char *text, size_t text_size, work &&run) {
    try {
        return run();
    } catch (const std::exception &fault) {
        return fail(ASSAY_OUTCOME_FAILED, text, text_size,
                    std::string("exception: ") + fault.what());
    } catch (...) {
        return fail(ASSAY_OUTCOME_FAILED, text, text_size, "an exception");
    }
}

/* ---- the table ---- */

assay_outcome open_frte(const assay_algorithm_setup *setup, void **state, char *text,
                        size_t text_size) {
    return guard(text, text_size, [&] {
        auto self = std::make_unique<frte>();
        for (size_t n = 0; setup->parameters[n] != nullptr; n++) {
            std::string given = setup->parameters[n];
            size_t equals = given.find('=');
            if (equals == std::string::npos ||
                !take(*self, given.substr(0, equals), setup->parameters[n] + equals + 1))
                return fail(ASSAY_OUTCOME_REFUSED, text, text_size, "wrong parameter " + given);
        }
        if (setup->config_directory[0] == '\0')
            return fail(ASSAY_OUTCOME_REFUSED, text, text_size,
                        "a configuration directory with lib/ and config/ is needed");
        assay_outcome outcome = load(*self, setup->config_directory, text, text_size);
        if (outcome == ASSAY_OUTCOME_OK) *state = self.release();
        return outcome;
    });
}

void describe(void *state, assay_algorithm_description *out) {
    const frte &self = *static_cast<frte *>(state);
    out->name = "frte-11";
    out->version = self.version.c_str();
    out->modality = "face";
    out->comparator = self.comparator.c_str();
    out->kind = ASSAY_TEMPLATE_OPAQUE;
    out->length = self.template_bytes;
    out->channels = self.channels;
    out->parameters = self.resolved.c_str();
    out->roles_differ = self.roles;
    out->vector_offset = self.vector_offset;
    out->vector_length = self.vector_length;
    out->vector_bound = self.bound;
    out->vector_scale = self.scale;
    out->vector_shift = self.shift;
}

/* Labels that both versions of the structs number alike: unknown, ISO, mugshot. */
int label_of(const char *capture_type) {
    if (std::strcmp(capture_type, "iso") == 0) return 1;
    return std::strcmp(capture_type, "mugshot") == 0 ? 2 : 0;
}

assay_outcome create_template(void *state, const assay_algorithm_image *images, size_t count,
                              assay_sample_role role, assay_algorithm_template *out, char *text,
                              size_t text_size) {
    return guard(text, text_size, [&] {
        frte &self = *static_cast<frte *>(state);
        std::vector<FRVT::Image> faces(count);
        for (size_t n = 0; n < count; n++) {
            const assay_algorithm_image &from = images[n];
            if (from.width > UINT16_MAX || from.height > UINT16_MAX)
                return fail(ASSAY_OUTCOME_REFUSED, text, text_size, "over 65535 pixels a side");
            size_t bytes = static_cast<size_t>(from.width) * from.height * from.channels;
            faces[n].width = static_cast<uint16_t>(from.width);
            faces[n].height = static_cast<uint16_t>(from.height);
            faces[n].depth = static_cast<uint8_t>(8 * from.channels);
            faces[n].data =
                std::shared_ptr<uint8_t>(new uint8_t[bytes], std::default_delete<uint8_t[]>());
            std::memcpy(faces[n].data.get(), from.pixels, bytes);
            faces[n].description =
                static_cast<decltype(faces[n].description)>(label_of(from.capture_type));
        }
        std::vector<uint8_t> made;
        std::vector<FRVT::EyePair> eyes;
        FRVT::TemplateRole wanted = role == ASSAY_SAMPLE_PROBE ? FRVT::TemplateRole::Verification_11
                                                               : FRVT::TemplateRole::Enrollment_11;
        assay_outcome outcome =
            tell(self.vendor->createTemplate(faces, wanted, made, eyes), text, text_size);
        if (outcome != ASSAY_OUTCOME_OK) return outcome;
        if (made.size() > out->capacity)
            return fail(ASSAY_OUTCOME_FAILED, text, text_size,
                        "a template of " + std::to_string(made.size()) +
                            " bytes; raise template_bytes");
        std::memcpy(out->bytes, made.data(), made.size());
        out->used = made.size();
        return ASSAY_OUTCOME_OK;
    });
}

/* A score is 0 or more; -1 is what the interface gives where a template was none. */
assay_outcome compare(void *state, const uint8_t *reference, size_t reference_size,
                      const uint8_t *probe, size_t probe_size, double *out, char *text,
                      size_t text_size) {
    return guard(text, text_size, [&] {
        frte &self = *static_cast<frte *>(state);
        std::vector<uint8_t> enrolled(reference, reference + reference_size);
        std::vector<uint8_t> verified(probe, probe + probe_size);
        double similarity = -1;
        assay_outcome outcome =
            tell(self.vendor->matchTemplates(verified, enrolled, similarity), text, text_size);
        if (outcome != ASSAY_OUTCOME_OK) return outcome;
        if (!(similarity >= 0))
            return fail(ASSAY_OUTCOME_FAILED, text, text_size,
                        "a score of " + std::to_string(similarity) + ", expected 0 or more");
        *out = similarity;
        return ASSAY_OUTCOME_OK;
    });
}

void close_frte(void *state) {
    delete static_cast<frte *>(state);
}

/* In the table's order; C++17 has no designated initialisers. */
const assay_algorithm table = {
    sizeof(assay_algorithm),
    ASSAY_ALGORITHM_ABI,
    "frte-11",
    "a library with NIST's FRTE 1:1 interface",
    open_frte,
    describe,
    create_template,
    close_frte,
    compare,
};

} // namespace

extern "C" const assay_algorithm *assay_algorithm_plugin(uint32_t abi) {
    return abi == ASSAY_ALGORITHM_ABI ? &table : nullptr;
}
