// face_image -- networks in ONNX and two resamplings by OpenCV, behind C functions that do not
// throw.
#include "harness/plugins/face/face_image.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

struct face_network {
    cv::dnn::Net net;
    std::vector<std::string> outputs;
    std::vector<cv::Mat> results;
};

namespace {

void explain(char *text, size_t text_size, const char *what) noexcept {
    if (text_size > 0) std::snprintf(text, text_size, "%s", what);
}

/* Runs work; what it throws becomes text, on one line. */
template <typename Work> bool guarded(char *text, size_t text_size, Work work) noexcept {
    try {
        work();
        return true;
    } catch (const cv::Exception &fault) {
        explain(text, text_size, fault.err.c_str());
    } catch (const std::exception &fault) {
        explain(text, text_size, fault.what());
    } catch (...) {
        explain(text, text_size, "unknown fault");
    }
    for (char *c = text; text_size > 0 && *c != '\0'; c++) {
        if (*c == '\n' || *c == '\r') *c = ' ';
    }
    return false;
}

cv::Mat picture_of(const uint8_t *rgb, uint32_t width, uint32_t height) {
    return cv::Mat(static_cast<int>(height), static_cast<int>(width), CV_8UC3,
                   const_cast<uint8_t *>(rgb));
}

} // namespace

face_network *face_network_open(const char *path, char *text, size_t text_size) {
    face_network *network = nullptr;
    bool opened = guarded(text, text_size, [&] {
        cv::setNumThreads(1);
        network = new face_network;
        network->net = cv::dnn::readNetFromONNX(path);
        network->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        network->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
        network->outputs = network->net.getUnconnectedOutLayersNames();
    });
    if (opened) return network;
    delete network;
    return nullptr;
}

void face_network_close(face_network *network) {
    delete network;
}

bool face_network_run(face_network *network, const float *input, uint32_t size,
                      const char *const *names, size_t count, const float **out, size_t *out_length,
                      char *text, size_t text_size) {
    return guarded(text, text_size, [&] {
        std::vector<std::string> wanted;
        for (size_t n = 0; n < count; n++) {
            if (names != nullptr && names[n] != nullptr) {
                wanted.emplace_back(names[n]);
            } else if (network->outputs.size() == 1) {
                wanted.push_back(network->outputs[0]);
            } else {
                CV_Error(cv::Error::StsBadArg, "the network has several outputs: name one");
            }
        }
        const int shape[] = {1, 3, static_cast<int>(size), static_cast<int>(size)};
        cv::Mat blob(4, shape, CV_32F, const_cast<float *>(input));
        network->net.setInput(blob);
        network->results.clear();
        network->net.forward(network->results, wanted);
        for (size_t n = 0; n < count; n++) {
            cv::Mat &result = network->results.at(n);
            if (result.type() != CV_32F || !result.isContinuous()) {
                CV_Error(cv::Error::StsUnsupportedFormat, "an output is not plain float32");
            }
            out[n] = result.ptr<float>();
            out_length[n] = result.total();
        }
    });
}

bool face_letterbox(const uint8_t *rgb, uint32_t width, uint32_t height, uint32_t size, float *out,
                    double *out_scale, char *text, size_t text_size) {
    return guarded(text, text_size, [&] {
        double scale = static_cast<double>(size) / (width > height ? width : height);
        int fitted_width = std::max(1, static_cast<int>(std::lround(width * scale)));
        int fitted_height = std::max(1, static_cast<int>(std::lround(height * scale)));
        cv::Mat fitted;
        cv::resize(picture_of(rgb, width, height), fitted, cv::Size(fitted_width, fitted_height), 0,
                   0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
        size_t plane = static_cast<size_t>(size) * size;
        std::memset(out, 0, 3 * plane * sizeof *out);
        for (int y = 0; y < fitted_height; y++) {
            const uint8_t *row = fitted.ptr<uint8_t>(y);
            for (int x = 0; x < fitted_width; x++) {
                size_t at = static_cast<size_t>(y) * size + static_cast<size_t>(x);
                for (size_t c = 0; c < 3; c++) out[(2 - c) * plane + at] = row[3 * x + (int)c];
            }
        }
        *out_scale = scale;
    });
}

bool face_warp(const uint8_t *rgb, uint32_t width, uint32_t height, const double m[6],
               uint32_t size, uint8_t *out, char *text, size_t text_size) {
    return guarded(text, text_size, [&] {
        cv::Mat crop(static_cast<int>(size), static_cast<int>(size), CV_8UC3, out);
        cv::Mat map(2, 3, CV_64F, const_cast<double *>(m));
        cv::warpAffine(picture_of(rgb, width, height), crop, map, crop.size(), cv::INTER_LINEAR,
                       cv::BORDER_CONSTANT, cv::Scalar(0, 0, 0));
    });
}
