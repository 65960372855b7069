// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/handshake_ledger.hpp"

#include <gtest/gtest.h>

#include "estab/base/random.hpp"

namespace estab::observe {
namespace {

const Address source = Address::v4(192, 0, 2, 1);

// All of a cohort, forgotten.
unsigned drain(HandshakeLedger& ledger, std::uint32_t cohort) {
  unsigned entries = 0;
  ledger.judge(cohort, [&](const auto&) { return ++entries, false; });
  return entries;
}

TEST(Ledger, KeepsEachHandshakeWhileThereIsRoomAndFindsItAgain) {
  HandshakeLedger ledger{64};
  ledger.open(0);
  for (std::uint64_t i = 0; i < 64; ++i) ASSERT_NE(ledger.syn(i << 58 | i, source), nullptr);
  EXPECT_EQ(ledger.weight(0), 1);
  for (std::uint64_t i = 0; i < 64; ++i) ASSERT_NE(ledger.find(i << 58 | i), nullptr);
  EXPECT_EQ(ledger.find(99), nullptr);
  EXPECT_EQ(drain(ledger, 0), 64u);
  EXPECT_EQ(ledger.size(), 0u);
}

TEST(Ledger, CountsASynThatIsRepeatedOnItsOwnEntryAlsoInALaterCohort) {
  HandshakeLedger ledger{64};
  ledger.open(0);
  auto* entry = ledger.syn(7, source);
  ledger.open(1);
  EXPECT_EQ(ledger.syn(7, source), entry);
  EXPECT_EQ(entry->syns, 2);
  EXPECT_EQ(entry->cohort, 0u);
  for (int i = 0; i < 400; ++i) (void)ledger.syn(7, source);
  EXPECT_EQ(entry->syns, 255);
}

TEST(Ledger, StaysWithinItsBoundsAndSamplesWithoutBiasInAnyFlood) {
  Random random{1};
  for (const unsigned flows : {5'000u, 50'000u, 1'000'000u}) {
    HandshakeLedger ledger{1024};
    ledger.open(0);
    for (unsigned i = 0; i < flows; ++i) {
      (void)ledger.syn(random(), source);
      ASSERT_LE(ledger.size(), 1024u);
    }
    const double weight = ledger.weight(0);
    const double estimate = weight * drain(ledger, 0);
    EXPECT_NEAR(estimate, flows, 0.2 * flows);  // 512 samples and more: 4.4 % deviation.
    EXPECT_EQ(ledger.size(), 0u);
  }
}

TEST(Ledger, ThinsTheCohortOfTheFloodAndNotTheOneBefore) {
  HandshakeLedger ledger{1024};
  Random random{2};
  ledger.open(0);
  for (int i = 0; i < 100; ++i) (void)ledger.syn(random(), source);
  ledger.open(1);
  for (int i = 0; i < 100'000; ++i) (void)ledger.syn(random(), source);
  EXPECT_EQ(ledger.weight(0), 1);
  EXPECT_GT(ledger.weight(1), 64);
  EXPECT_EQ(drain(ledger, 0), 100u);
}

TEST(Ledger, RecoversByOneBitACohortWhenTheFloodIsOver) {
  HandshakeLedger ledger{1024};
  Random random{3};
  ledger.open(0);
  for (int i = 0; i < 100'000; ++i) (void)ledger.syn(random(), source);
  double before = ledger.weight(0);
  ledger.open(1);
  EXPECT_EQ(ledger.weight(1), before) << "the cohort before it was still large";
  for (std::uint32_t cohort = 2; ledger.weight(cohort - 1) > 1; ++cohort) {
    drain(ledger, cohort - 2);
    before = ledger.weight(cohort - 1);
    ledger.open(cohort);
    EXPECT_EQ(ledger.weight(cohort), before / 2);
    ASSERT_LT(cohort, 20u);
  }
}

TEST(Ledger, KeepsWhatFailedUntilItIsForgotten) {
  HandshakeLedger ledger{64};
  ledger.open(0);
  (void)ledger.syn(1, source), (void)ledger.syn(2, source), (void)ledger.syn(3, source);
  ledger.find(1)->completed = true;
  ledger.judge(0, [](const auto& entry) { return !entry.completed; });
  EXPECT_EQ(ledger.find(1), nullptr);
  const auto failures = [&] {
    unsigned count = 0;
    ledger.for_each_failure([&](const auto&) { ++count; });
    return count;
  };
  EXPECT_EQ(failures(), 2u);
  ledger.find(2)->completed = true;
  EXPECT_EQ(failures(), 1u) << "it completed late";
  ledger.forget(0);
  EXPECT_EQ(ledger.size(), 0u);
}

TEST(Ledger, KeepsItsChainsWholeWhateverComesAndGoes) {
  HandshakeLedger ledger{128};
  Random random{4};
  std::vector<std::uint64_t> hashes;
  for (std::uint32_t cohort = 0; cohort < 200; ++cohort) {
    ledger.open(cohort);
    hashes.clear();
    // Few low bits: many in one bucket.
    for (int i = 0; i < 60; ++i) hashes.push_back(random() & ~std::uint64_t{0x78});
    for (const auto hash : hashes) (void)ledger.syn(hash, source);
    for (const auto hash : hashes) {
      const auto* entry = ledger.find(hash);
      ASSERT_TRUE(entry != nullptr || ledger.weight(cohort) > 1);
      ASSERT_TRUE(entry == nullptr || entry->hash == hash);
    }
    ledger.judge(cohort, [](const auto& entry) { return entry.hash % 3 == 0; });
    if (cohort >= 4) ledger.forget(cohort - 4);
    ASSERT_LE(ledger.size(), 128u);
  }
}

}  // namespace
}  // namespace estab::observe
