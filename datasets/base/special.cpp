// special -- special functions of Boost.Math behind a C face (special.h); no exception leaves this
// file.
#include "datasets/base/special.h"

#include <cmath>
#include <limits>

#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>

namespace {
constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

bool in_domain(double a, double b, double x) {
    return a > 0 && b > 0 && x >= 0 && x <= 1 && std::isfinite(a) && std::isfinite(b);
}
} // namespace

double assay_beta_below(double a, double b, double x) {
    if (!in_domain(a, b, x)) return nothing;
    try {
        return boost::math::ibeta(a, b, x);
    } catch (...) {
        return nothing;
    }
}

double assay_beta_above(double a, double b, double x) {
    if (!in_domain(a, b, x)) return nothing;
    try {
        return boost::math::ibetac(a, b, x);
    } catch (...) {
        return nothing;
    }
}

double assay_beta_quantile(double a, double b, double share) {
    if (!in_domain(a, b, share)) return nothing;
    try {
        return boost::math::ibeta_inv(a, b, share);
    } catch (...) {
        return nothing;
    }
}

double assay_student_quantile(double degrees, double share) {
    if (!(degrees > 0 && share > 0 && share < 1)) return nothing;
    try {
        if (std::isinf(degrees)) return -std::sqrt(2.0) * boost::math::erfc_inv(2 * share);
        return boost::math::quantile(boost::math::students_t(degrees), share);
    } catch (...) {
        return nothing;
    }
}
