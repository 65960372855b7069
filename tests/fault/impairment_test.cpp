// SPDX-License-Identifier: Apache-2.0
#include "estab/fault/impairment.hpp"

#include <gtest/gtest.h>

#include "estab/base/random.hpp"

namespace estab::fault {
namespace {

Impairment parsed(std::string_view text) {
  const auto result = parse_impairment(text);
  EXPECT_TRUE(result) << text << ": " << result.error();
  return result.value_or(Impairment{});
}

std::string refusal(std::string_view text) {
  const auto result = parse_impairment(text);
  return result ? "taken: " + to_string(*result) : result.error();
}

TEST(Impairment, EmptyTextIsAPathThatDoesNoHarm) {
  EXPECT_EQ(parsed(""), Impairment{});
  EXPECT_EQ(to_string(Impairment{}), "");
}

TEST(Impairment, EveryFieldIsRead) {
  const Impairment all{.loss = 0.01,
                       .duplicate = 0.02,
                       .corrupt = 0.001,
                       .reorder = 0.05,
                       .delay = 20ms,
                       .jitter = 5ms,
                       .rate = 10'000'000,
                       .queue = 100,
                       .seed = 7};
  EXPECT_EQ(parsed("loss=1%,duplicate=2%,reorder=5%,delay=20ms,jitter=5ms,rate=10mbit,queue=100,"
                   "corrupt=0.1%,seed=7"),
            all);
}

TEST(Impairment, AProbabilityIsAPercentageOrAFraction) {
  EXPECT_EQ(parsed("loss=0.25").loss, 0.25);
  EXPECT_EQ(parsed("loss=25%").loss, 0.25);
  EXPECT_EQ(parsed("loss=1").loss, 1.0);
  EXPECT_EQ(parsed("loss=100%").loss, 1.0);
}

TEST(Impairment, TimesAndRatesHaveUnits) {
  EXPECT_EQ(parsed("delay=3s").delay, 3s);
  EXPECT_EQ(parsed("delay=1.5ms").delay, 1500us);
  EXPECT_EQ(parsed("jitter=250us").jitter, 250us);
  EXPECT_EQ(parsed("jitter=9ns").jitter, 9ns);
  EXPECT_EQ(parsed("rate=9600bit").rate, 9600u);
  EXPECT_EQ(parsed("rate=64kbit").rate, 64'000u);
  EXPECT_EQ(parsed("rate=2.5gbit").rate, 2'500'000'000u);
  EXPECT_EQ(parsed("delay=999999999999999999ns").delay, 999999999999999999ns);
}

TEST(Impairment, AnUnknownFieldIsRefusedWithTheNamesOfThoseThereAre) {
  EXPECT_EQ(refusal("losss=1%"),
            "'losss' is not an impairment; there are loss, duplicate, corrupt, reorder, delay, "
            "jitter, rate, queue and seed, written as in loss=1%,delay=20ms.");
  EXPECT_TRUE(refusal("loss=1%,,delay=1ms").starts_with("'' is not an impairment"));
}

TEST(Impairment, AWrongValueIsRefusedWithWhatIsRight) {
  EXPECT_EQ(refusal("delay=1ms,loss=120%"),
            "'loss=120%' is wrong: loss= wants a probability from 0% to 100%, as in 1% or 0.01.");
  for (const auto* wrong : {"loss",
                            "loss=",
                            "loss=%",
                            "loss=-1%",
                            "loss=2",
                            "loss=nan",
                            "loss=1%%",
                            "loss= 1%",
                            "duplicate=x",
                            "corrupt=inf",
                            "reorder=101%",
                            "delay=20",
                            "delay=ms",
                            "delay=-1ms",
                            "delay=1e3ms",
                            "delay=20min",
                            "delay=9999999999999s",
                            "jitter=.ms",
                            "rate=10",
                            "rate=0bit",
                            "rate=10MBit",
                            "queue=0",
                            "queue=-1",
                            "queue=4294967296",
                            "queue=1.5",
                            "seed=x",
                            "seed=18446744073709551616"}) {
    const std::string name(std::string_view(wrong).substr(0, std::string_view(wrong).find('=')));
    EXPECT_TRUE(
        refusal(wrong).starts_with("'" + std::string(wrong) + "' is wrong: " + name + "= wants a "))
        << refusal(wrong);
  }
}

TEST(Impairment, AFieldGivenTwiceOrLeftOutIsRefused) {
  EXPECT_EQ(refusal("loss=1%,loss=2%"), "'loss' is given twice; give it once.");
  EXPECT_EQ(refusal("loss=1%,"), "A field is missing after the last comma.");
}

TEST(Impairment, ToStringIsTheInverseOfParse) {
  EXPECT_EQ(to_string(parsed("corrupt=0.1%,loss=0.01,delay=1500us,rate=10000kbit,queue=1000")),
            "loss=1%,corrupt=0.1%,delay=1500us,rate=10mbit");
  Random random(11);
  const auto duration = [&] { return Duration(std::int64_t(random.below(1'000'000'000'000))); };
  for (int i = 0; i < 10'000; ++i) {
    const Impairment any{.loss = random.unit(),
                         .duplicate = random.unit() * 1e-6,
                         .corrupt = double(random.below(101)) / 100,
                         .reorder = double(random.below(1001)) / 1000,
                         .delay = duration(),
                         .jitter = duration(),
                         .rate = random.below(1'000'000'000'000),
                         .queue = 1 + std::uint32_t(random.below(5000)),
                         .seed = random()};
    EXPECT_EQ(parsed(to_string(any)), any) << to_string(any);
  }
}

}  // namespace
}  // namespace estab::fault
