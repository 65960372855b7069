// SPDX-License-Identifier: Apache-2.0
// The retransmission timeout beside RFC 6298 §2 worked out in doubles.
#include "estab/tcp/rtt.hpp"

#include <cmath>
#include <optional>

#include "tests/seeds.hpp"

namespace estab::tcp {
namespace {

constexpr Duration rto_min = 200ms, rto_max = 120s, initial = 1s;

// RFC 6298 (2.1) to (2.5), in nanoseconds. As in Linux, the minimum is a floor of the variance's
// share, not of the sum.
struct Model {
  std::optional<double> srtt;
  double rttvar = 0;
  double base = double(initial.count());
  int doublings = 0;

  void sample(double r) {
    if (!srtt) {
      srtt = r;
      rttvar = r / 2;
    } else {
      rttvar = 0.75 * rttvar + 0.25 * std::abs(*srtt - r);
      srtt = 0.875 * *srtt + 0.125 * r;
    }
    base = std::min(*srtt + std::max(double(rto_min.count()), 4 * rttvar), double(rto_max.count()));
    doublings = 0;
  }
  [[nodiscard]] double rto() const {
    return std::min(std::ldexp(base, doublings), double(rto_max.count()));
  }
};

// From a microsecond to minutes, each order of magnitude as likely as another.
Duration draw_rtt(Random& random) {
  return Duration(std::int64_t(1000 * std::pow(1e8, random.unit())));
}

TEST(Rtt, Agrees_with_RFC_6298_worked_out_in_doubles) {
  for_each_seed(50, [](Random& random) {
    RttEstimator rtt(initial);
    Model model;
    Duration usual = draw_rtt(random);
    for (int step = 0; step < 500 && !testing::Test::HasFailure(); ++step) {
      const auto lot = random.below(10);
      if (lot == 0) usual = draw_rtt(random);
      if (lot == 1) {
        rtt.back_off();
        ++model.doublings;
      } else {
        const Duration r = usual + Duration(random.below(std::uint64_t(usual.count())));
        rtt.sample(r, rto_min, rto_max);
        model.sample(double(r.count()));
      }
      // Each division in whole nanoseconds loses less than one; they do not add up beyond this.
      constexpr double rounding = 10000;  // It counts in eighths of a microsecond.
      EXPECT_NEAR(double(rtt.srtt().count()), model.srtt.value_or(0), rounding) << "step " << step;
      EXPECT_NEAR(double(rtt.rto(rto_max).count()), model.rto(),
                  rounding * std::ldexp(1.0, model.doublings))
          << "step " << step;
    }
  });
}

TEST(Rtt, Before_the_first_measurement_the_timeout_is_the_initial_one) {
  RttEstimator rtt(initial);
  EXPECT_FALSE(rtt.measured());
  EXPECT_EQ(rtt.rto(rto_max), initial);
  rtt.back_off();
  EXPECT_EQ(rtt.rto(rto_max), 2 * initial);
}

TEST(Rtt, The_timeout_doubles_up_to_its_maximum_and_stays_there) {
  for_each_seed(50, [](Random& random) {
    RttEstimator rtt(initial);
    rtt.sample(draw_rtt(random), rto_min, rto_max);
    Duration expected = rtt.rto(rto_max);
    for (int n = 0; n < 300; ++n) {
      EXPECT_EQ(rtt.rto(rto_max), expected) << n << " times";
      expected = std::min(2 * expected, rto_max);
      rtt.back_off();
    }
    EXPECT_EQ(rtt.rto(rto_max), rto_max);
    // RFC 6298 §5: a new measurement ends the back-off.
    for (int n = 0; n < 200; ++n) rtt.sample(100ms, rto_min, rto_max);
    EXPECT_LT(rtt.rto(rto_max), 1s);
  });
}

TEST(Rtt, The_timeout_is_never_less_than_the_round_trip_time_and_the_minimum) {
  for_each_seed(50, [](Random& random) {
    RttEstimator rtt(initial);
    const Duration usual = draw_rtt(random);
    for (int n = 0; n < 200; ++n) {
      rtt.sample(usual, rto_min, rto_max);
      EXPECT_GE(rtt.rto(rto_max), std::min(rtt.srtt() + rto_min, rto_max));
      EXPECT_LE(rtt.rto(rto_max), rto_max);
    }
    // A path that never varies: nothing but the minimum is left of the variance's share.
    EXPECT_LE(rtt.rto(rto_max), usual + rto_min + usual / 100);
  });
}

}  // namespace
}  // namespace estab::tcp
