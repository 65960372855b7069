// SPDX-License-Identifier: Apache-2.0
// What a cookie knows again, and what it does not (threats.md §2 and row 46).
#include "estab/tcp/syn_cookie.hpp"

#include <gtest/gtest.h>

#include <set>

#include "estab/base/random.hpp"

namespace estab::tcp {
namespace {

constexpr CookieMaster master{{HashKey{1, 2}, HashKey{3, 4}}};
constexpr CookieMaster another{{HashKey{5, 6}, HashKey{7, 8}}};
const Flow flow{{Address::v4(10, 0, 0, 1), Port{80}}, {Address::v4(198, 51, 100, 7), Port{4711}}};
const Flow flow_v6{{*Address::parse("fd00::1"), Port{80}},
                   {*Address::parse("2001:db8::7"), Port{4711}}};
constexpr Seq irs{0xfffffff0};
constexpr Instant now{1000s};

SynCookies cookies(const CookieMaster& m = master) {
  return SynCookies{{.master = m, .previous = {}}};
}
CookieOptions stamped(std::uint16_t mss = 1460) {
  return {.mss = mss, .scale = 7, .timestamps = true, .sack = true};
}
CookieOptions plain(std::uint16_t mss = 1460) { return {.mss = mss, .scale = {}}; }

TEST(SynCookie, BringsBackWhatWasAgreed) {
  auto c = cookies();
  for (const Flow& f : {flow, flow_v6})
    for (const std::uint16_t mss : cookie_mss(f.remote.address)) {
      const auto without = c.make(f, irs, plain(mss), now);
      EXPECT_EQ(c.check(f, irs, without.iss, {}, now), plain(mss));
      for (int scale = -1; scale <= 14; ++scale)
        for (int bits = 0; bits < 4; ++bits) {
          CookieOptions options{.mss = mss,
                                .scale = {},
                                .timestamps = true,
                                .sack = (bits & 1) != 0,
                                .ecn = (bits & 2) != 0};
          if (scale >= 0) options.scale = std::uint8_t(scale);
          const auto with = c.make(f, irs, options, now);
          ASSERT_EQ(c.check(f, irs, with.iss, with.ts_value, now), options);
        }
    }
}

TEST(SynCookie, AnMssIsRoundedDown) {
  auto c = cookies();
  for (const auto& [mss, carried] :
       {std::pair{536, 536}, {1219, 536}, {1220, 1220}, {1459, 1440}, {1460, 1460}, {9000, 1460}}) {
    const auto cookie = c.make(flow, irs, plain(std::uint16_t(mss)), now);
    EXPECT_EQ(c.check(flow, irs, cookie.iss, {}, now)->mss, carried) << mss;
  }
}

TEST(SynCookie, KnowsTheExactNumberOfTheSyn) {
  auto c = cookies();
  const auto with = c.make(flow, irs, stamped(), now);
  const auto without = c.make(flow, irs, plain(), now);
  for (std::uint32_t off = 1; off <= 65535; ++off)
    for (const Seq wrong : {irs + off, irs - off}) {
      ASSERT_FALSE(c.check(flow, wrong, with.iss, with.ts_value, now)) << off;
      ASSERT_FALSE(c.check(flow, wrong, without.iss, {}, now)) << off;
    }
}

TEST(SynCookie, KnowsTheExactNumberOfOurs) {
  auto c = cookies();
  const auto with = c.make(flow, irs, stamped(), now);
  const auto without = c.make(flow, irs, plain(), now);
  for (std::uint32_t off = 1; off <= 65535; ++off)
    for (const std::uint32_t sign : {1u, ~0u}) {
      ASSERT_FALSE(c.check(flow, irs, with.iss + off * sign, with.ts_value, now)) << off;
      ASSERT_FALSE(c.check(flow, irs, without.iss + off * sign, {}, now)) << off;
      // But the clock in it may have ticked on, for as long as a cookie lives.
      const bool ticked = sign == 1 && off % SynCookies::clock_tick == 0 && off <= 32'000;
      const auto known = c.check(flow, irs, with.iss, with.ts_value + off * sign, now);
      ASSERT_EQ(known.has_value(), ticked) << off;
      ASSERT_EQ(known.value_or(stamped()), stamped()) << off;
    }
}

// Every other word of the three bits that carry the MSS and the epoch, whatever hides them.
TEST(SynCookie, RefusesEachWrongMssAndEpoch) {
  auto c = cookies();
  for (const std::uint16_t mss : cookie_mss(flow.remote.address)) {
    const auto cookie = c.make(flow, irs, plain(mss), now);
    for (std::uint32_t other = 1; other < 8; ++other)
      EXPECT_FALSE(c.check(flow, irs, Seq(cookie.iss.raw() ^ other), {}, now));
  }
}

TEST(SynCookie, RefusesAnotherTuple) {
  auto c = cookies();
  const auto cookie = c.make(flow, irs, stamped(), now);
  const auto refused = [&](const Flow& f) {
    return !c.check(f, irs, cookie.iss, cookie.ts_value, now);
  };
  for (std::uint32_t n = 0; n < 65536; ++n) {
    Flow f = flow;
    f.remote.port = Port{std::uint16_t(n)};
    ASSERT_TRUE(n == 4711 || refused(f)) << n;
    f = flow;
    f.local.port = Port{std::uint16_t(n)};
    ASSERT_TRUE(n == 80 || refused(f)) << n;
    f = flow;
    f.remote.address = Address::v4(198, 51, std::uint8_t(n >> 8), std::uint8_t(n));
    ASSERT_TRUE(f == flow || refused(f)) << n;
    f = flow;
    f.local.address = Address::v4(10, 0, std::uint8_t(n >> 8), std::uint8_t(n));
    ASSERT_TRUE(f == flow || refused(f)) << n;
  }
  EXPECT_TRUE(refused(flow.reversed()));
}

TEST(SynCookie, RefusesOtherOptionsThanWereAgreed) {
  auto c = cookies();
  const auto cookie = c.make(flow, irs, stamped(), now);
  for (std::uint32_t bits = 1; bits < 64; ++bits)
    EXPECT_FALSE(c.check(flow, irs, cookie.iss, cookie.ts_value ^ bits, now));
  EXPECT_EQ(c.check(flow, irs, cookie.iss, {}, now), plain())
      << "the timestamps were lost on the way";
  const auto without = c.make(flow, irs, plain(), now);
  EXPECT_FALSE(c.check(flow, irs, without.iss, 0u, now)) << "timestamps were not agreed";
}

TEST(SynCookie, RefusesAnotherKey) {
  auto ours = cookies(), theirs = cookies(another);
  for (std::uint32_t n = 0; n < 65536; ++n) {
    const auto cookie = theirs.make(flow, irs + n, plain(), now);
    ASSERT_FALSE(ours.check(flow, irs + n, cookie.iss, {}, now)) << n;
  }
}

TEST(SynCookie, AnotherHostWithTheSameKeysAcceptsThoughItsClockIsTwoSecondsOff) {
  auto here = cookies();
  for (const auto skew : {-2s, -1s, 0s, 1s, 2s}) {
    // Its stack was started at another time; what both know is the time of the wall.
    SynCookies there{{.master = master, .previous = {}, .wall_offset = 500s + skew}};
    for (Duration at{}; at < 2 * SynCookies::epoch; at += 125ms) {
      const auto cookie = here.make(flow, irs, stamped(), now + at);
      ASSERT_TRUE(there.check(flow, irs, cookie.iss, cookie.ts_value, now + at - 500s))
          << skew.count() << " at " << at.count();
    }
  }
}

TEST(SynCookie, IsGoodForOneToTwoEpochs) {
  auto c = cookies();
  for (Duration at{}; at < SynCookies::epoch; at += 125ms) {
    const auto cookie = c.make(flow, irs, plain(), now + at);
    for (Duration later{}; later < 200s; later += 125ms) {
      const bool good = c.check(flow, irs, cookie.iss, {}, now + at + later).has_value();
      ASSERT_TRUE(good || later > SynCookies::epoch) << at.count() << ' ' << later.count();
      ASSERT_FALSE(good && later > 2 * SynCookies::epoch) << at.count() << ' ' << later.count();
    }
  }
}

TEST(SynCookie, ThePreviousMasterIsAcceptedWhileHostsChange) {
  auto c = cookies();
  const auto old = c.make(flow, irs, plain(), now);
  c.set_keys({.master = another, .previous = master});
  EXPECT_TRUE(c.check(flow, irs, old.iss, {}, now));
  const auto fresh = c.make(flow, irs, plain(), now);
  EXPECT_NE(fresh.iss, old.iss);
  EXPECT_TRUE(c.check(flow, irs, fresh.iss, {}, now));
  c.set_keys({.master = another, .previous = {}});
  EXPECT_FALSE(c.check(flow, irs, old.iss, {}, now));
}

// The expected number of hits is 2^26 / 2^29 = 0.125.
TEST(SynCookie, NoneOf67MillionRandomAcksIsAccepted) {
  constexpr std::uint64_t tries = 1 << 26;
  auto c = cookies();
  Random random{2026};
  int hits = 0;
  for (std::uint64_t n = 0; n < tries; ++n)
    hits += c.check(flow, Seq(std::uint32_t(random())), Seq(std::uint32_t(random())), {}, now)
                .has_value();
  EXPECT_LT(hits, 4);
}

// Successive numbers of one tuple and of neighbours, an octet at a time (threats 3): chi-square
// with 255 degrees of freedom stays under 330.5 with probability 0.999.
TEST(SynCookie, Threats_3_the_numbers_are_as_good_as_random) {
  constexpr int count = 1 << 18;
  for (const int lag : {0, 1, 2, 3, 8}) {
    auto c = cookies();
    std::array<std::array<double, 256>, 4> seen{};
    std::vector<std::uint32_t> numbers;
    for (int n = 0; n < count + lag; ++n) {
      Flow f = flow;
      f.remote.port = Port{std::uint16_t(n)};
      numbers.push_back(c.make(f, irs + std::uint32_t(n >> 16), plain(), now).iss.raw());
    }
    for (std::size_t n = 0; n < count; ++n) {
      const std::uint32_t value =
          lag == 0 ? numbers[n] : numbers[n + std::size_t(lag)] - numbers[n];
      for (std::size_t octet = 0; octet < 4; ++octet) ++seen[octet][value >> (8 * octet) & 255];
    }
    for (std::size_t octet = 0; octet < 4; ++octet) {
      double chi = 0;
      for (const double s : seen[octet]) chi += (s - count / 256.0) * (s - count / 256.0);
      EXPECT_LT(chi / (count / 256.0), 350) << "lag " << lag << ", octet " << octet;
    }
  }
}

}  // namespace
}  // namespace estab::tcp
