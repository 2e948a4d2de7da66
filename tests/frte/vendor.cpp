/* vendor -- a library with an FRTE 1:1 interface, for tests. Templates are 8 bytes (the role in
 * byte 1) and 144 float32 grey values; a score is 1 + their cosine. An image whose first pixel is
 * 200 + n, n from 1 to 18, gives return code n; byte 0 of a template is the first pixel, and
 * matching one with 50 there gives VerifTemplateError and -1, with 51 Success and -1; with 52 it
 * throws. */
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "frvt11.h"

namespace {

constexpr unsigned side = 12, length = side * side, at = 8;

FRVT::ReturnStatus status(int code, const char *info) {
    FRVT::ReturnStatus made;
    made.code = static_cast<FRVT::ReturnCode>(code);
    made.info = info;
    return made;
}

class Vendor : public FRVT_11::Interface {
  public:
    FRVT::ReturnStatus initialize(const std::string &configDir) override {
        return configDir.size() > 7 && configDir.substr(configDir.size() - 7) == "/config"
                   ? status(0, "")
                   : status(2, "no config");
    }

    FRVT::ReturnStatus createTemplate(const std::vector<FRVT::Image> &faces,
                                      FRVT::TemplateRole role, std::vector<uint8_t> &templ,
                                      std::vector<FRVT::EyePair> &) override {
        const FRVT::Image &image = faces[0];
        const uint8_t *pixels = image.data.get();
        const unsigned step = image.depth / 8;
        if (pixels[0] > 200 && pixels[0] <= 218)
            return status(pixels[0] - 200, "as the image says");
        float vector[length], mean = 0;
        for (unsigned cell = 0; cell < length; cell++) {
            size_t x = image.width * (cell % side * 2 + 1) / (side * 2);
            size_t y = image.height * (cell / side * 2 + 1) / (side * 2);
            vector[cell] = pixels[(y * image.width + x) * step];
            mean += vector[cell] / length;
        }
        for (float &value : vector) value -= mean;
        templ.assign(at + sizeof vector, 0);
        templ[0] = pixels[0];
        templ[1] = static_cast<uint8_t>(1 + static_cast<int>(role));
        std::memcpy(templ.data() + at, vector, sizeof vector);
        return status(0, "");
    }

#if STANDIN_API >= 5
    FRVT::ReturnStatus createTemplate(const FRVT::Image &, FRVT::TemplateRole,
                                      std::vector<std::vector<uint8_t>> &,
                                      std::vector<FRVT::EyePair> &) override {
        return status(16, "");
    }
#endif

    FRVT::ReturnStatus matchTemplates(const std::vector<uint8_t> &verif,
                                      const std::vector<uint8_t> &enroll,
                                      double &similarity) override {
        float a[length], b[length];
        double dot = 0, aa = 0, bb = 0;
        similarity = -1;
        if (verif[0] == 50 || enroll[0] == 50) return status(7, "");
        if (verif[0] == 51 || enroll[0] == 51) return status(0, "");
        if (verif[0] == 52 || enroll[0] == 52) throw std::runtime_error("no such luck");
        std::memcpy(a, verif.data() + at, sizeof a);
        std::memcpy(b, enroll.data() + at, sizeof b);
        for (unsigned n = 0; n < length; n++) {
            dot += static_cast<double>(a[n]) * b[n];
            aa += static_cast<double>(a[n]) * a[n];
            bb += static_cast<double>(b[n]) * b[n];
        }
        similarity = 1 + dot / std::sqrt(aa * bb);
        return status(0, "");
    }
};

} // namespace

std::shared_ptr<FRVT_11::Interface> FRVT_11::Interface::getImplementation() {
    return std::make_shared<Vendor>();
}
