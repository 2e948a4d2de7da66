// special -- special functions of Boost.Math behind a C face (special.h); no exception leaves this file.
#include "datasets/base/special.h"

#include <cmath>
#include <limits>

#include <boost/math/special_functions/beta.hpp>

namespace {
bool in_domain(double a, double b, double x) {
    return a > 0 && b > 0 && x >= 0 && x <= 1 && std::isfinite(a) && std::isfinite(b);
}
} // namespace

double assay_beta_below(double a, double b, double x) {
    if (!in_domain(a, b, x)) return std::numeric_limits<double>::quiet_NaN();
    try {
        return boost::math::ibeta(a, b, x);
    } catch (...) {
        return std::numeric_limits<double>::quiet_NaN();
    }
}

double assay_beta_above(double a, double b, double x) {
    if (!in_domain(a, b, x)) return std::numeric_limits<double>::quiet_NaN();
    try {
        return boost::math::ibetac(a, b, x);
    } catch (...) {
        return std::numeric_limits<double>::quiet_NaN();
    }
}
