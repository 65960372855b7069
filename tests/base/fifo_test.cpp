// SPDX-License-Identifier: Apache-2.0
#include "estab/base/fifo.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "estab/base/random.hpp"

namespace estab {
namespace {

struct Pair {
  std::uint64_t a, b;
  friend bool operator==(const Pair&, const Pair&) = default;
};

TEST(Fifo, Gives_back_what_was_put_in_in_its_order) {
  Random random{7};
  Fifo<std::uint32_t> words;
  Fifo<Pair> pairs;
  std::deque<std::uint32_t> model;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    const bool grows = i / 5000 % 2 == 0;  // It fills many chunks, and runs empty.
    if (model.empty() || random.chance(grows ? 0.7 : 0.3)) {
      words.push_back(i);
      pairs.push_back({i, ~std::uint64_t{i}});
      model.push_back(i);
    } else {
      ASSERT_EQ(words.front(), model.front());
      ASSERT_EQ(words.pop_front(), model.front());
      ASSERT_EQ(pairs.pop_front(), (Pair{model.front(), ~std::uint64_t{model.front()}}));
      model.pop_front();
    }
    ASSERT_EQ(words.size(), model.size());
    ASSERT_EQ(pairs.empty(), model.empty());
  }
}

TEST(Fifo, A_chunk_that_is_just_full_is_read_to_its_end) {
  for (std::uint32_t count = 1; count < 1200; ++count) {
    Fifo<std::uint32_t> fifo;
    for (int round = 0; round < 2; ++round) {
      for (std::uint32_t i = 0; i < count; ++i) fifo.push_back(i);
      for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(fifo.pop_front(), i) << count;
      ASSERT_TRUE(fifo.empty());
    }
  }
}

TEST(Fifo, It_is_walked_from_the_oldest_on_and_knows_what_it_holds) {
  Fifo<std::uint32_t, 128> fifo;
  EXPECT_EQ(fifo.true_size(), 0u);
  for (std::uint32_t i = 0; i < 100; ++i) fifo.push_back(i);
  for (std::uint32_t first = 0; first <= 100; ++first) {
    std::uint32_t next = first;
    fifo.for_each([&](std::uint32_t value) { EXPECT_EQ(value, next++); });
    EXPECT_EQ(next, 100u);
    if (first < 100) fifo.pop_front();
  }
  EXPECT_EQ(fifo.true_size(), 128u);
}

}  // namespace
}  // namespace estab
