// SPDX-License-Identifier: Apache-2.0
#include "estab/base/fifo.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "estab/base/random.hpp"

namespace estab {

TEST(Fifo, Gives_back_in_the_order_of_arrival_whatever_comes_and_goes) {
  Random random(1);
  Fifo<int> fifo;
  std::deque<int> model;
  for (int i = 0; i < 100'000; ++i) {
    // Long stretches of growing, then of shrinking.
    if (random.below(100) < (i / 5000 % 2 == 0 ? 60u : 40u)) {
      fifo.push_back(i), model.push_back(i);
    } else if (!model.empty()) {
      ASSERT_EQ(fifo.front(), model.front());
      fifo.pop_front(), model.pop_front();
    }
    ASSERT_EQ(fifo.size(), model.size());
    ASSERT_EQ(fifo.empty(), model.empty());
  }
}

TEST(Fifo, Holds_no_memory_when_it_is_empty) {
  Fifo<int> fifo;
  EXPECT_EQ(fifo.true_size(), 0u);
  for (int i = 0; i < 1000; ++i) fifo.push_back(i);
  EXPECT_GT(fifo.true_size(), 0u);
  for (int i = 0; i < 1000; ++i) fifo.pop_front();
  EXPECT_EQ(fifo.true_size(), 0u);
}

}  // namespace estab
