/* frvt_structs -- stands in for the structs of an FRTE interface in tests, written from facts about
 * it: names, order and numbers only. STANDIN_API is 4 or 5. */
#ifndef STANDIN_FRVT_STRUCTS_H
#define STANDIN_FRVT_STRUCTS_H

#include <cstdint>
#include <memory>
#include <string>

#ifndef STANDIN_API
#define STANDIN_API 5
#endif

namespace FRVT {

#if STANDIN_API >= 5
enum class ImageDescription { FaceUnknown = 0, FaceIso = 1, FaceMugshot = 2 };
#endif

struct Image {
#if STANDIN_API < 5
    enum class Label { Unknown = 0, Iso = 1, Mugshot = 2 };
#endif
    uint16_t width = 0, height = 0;
    uint8_t depth = 24;
    std::shared_ptr<uint8_t> data;
#if STANDIN_API >= 5
    ImageDescription description = ImageDescription::FaceUnknown;
#else
    Label description = Label::Unknown;
#endif
};

struct EyePair {
    bool isLeftAssigned = false, isRightAssigned = false;
    uint16_t xleft = 0, yleft = 0, xright = 0, yright = 0;
};

enum class TemplateRole { Enrollment_11 = 0, Verification_11 = 1 };
enum class ReturnCode { Success = 0, VendorError = 17 };

struct ReturnStatus {
    ReturnCode code = ReturnCode::Success;
    std::string info;
};

#ifdef NIST_EXTERN_FRVT_STRUCTS_VERSION
extern uint16_t FRVT_STRUCTS_MAJOR_VERSION;
#else
uint16_t FRVT_STRUCTS_MAJOR_VERSION = STANDIN_API >= 5 ? 3 : 1;
#endif

} // namespace FRVT

#endif
