// draws -- distributions of Boost.Random behind a C face (draws.h); no exception leaves this file.
#include "datasets/base/draws.h"

#include <cstdint>

#include <boost/random/gamma_distribution.hpp>
#include <boost/random/poisson_distribution.hpp>

namespace {
// The stream as Boost.Random wants a generator.
struct stream {
    using result_type = std::uint32_t;
    static constexpr result_type min() {
        return 0;
    }
    static constexpr result_type max() {
        return UINT32_MAX;
    }
    result_type operator()() {
        return assay_random_u32(random);
    }
    assay_random *random;
};
} // namespace

double assay_draw_poisson(assay_random *random, double mean) {
    if (!(mean > 0)) return 0;
    stream words{random};
    try {
        return static_cast<double>(boost::random::poisson_distribution<std::int64_t>(mean)(words));
    } catch (...) {
        return mean;
    }
}

double assay_draw_gamma(assay_random *random, double shape) {
    if (!(shape > 0)) return 1;
    stream words{random};
    try {
        return boost::random::gamma_distribution<double>(shape, 1 / shape)(words);
    } catch (...) {
        return 1;
    }
}
