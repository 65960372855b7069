// SPDX-License-Identifier: Apache-2.0
// The list of TIME-WAIT records beside a list of (index, end).
#include <list>

#include "estab/tcp/time_wait.hpp"
#include "tests/seeds.hpp"

namespace estab::tcp {
namespace {

constexpr Duration length = 60s;

class Comparison {
 public:
  // The records count milliseconds in 31 bits: it begins at any time, and near the wrap.
  explicit Comparison(Random& random) : random_(random) {
    constexpr std::uint64_t wrap = std::uint64_t{1} << 31;
    now_ += Duration(random.below(1'000'000'000)) + (random.chance(0.5) ? 1 : 0) * 10s;
    now_ += std::int64_t(random.below(3) * wrap) * 1ms - std::int64_t(random.below(100'000)) * 1ms;
    if (now_ < Instant{}) now_ = Instant{};
  }

  void run(int steps) {
    for (int n = 0; n < steps && !testing::Test::HasFailure(); ++n) {
      switch (random_.below(6)) {
        case 0:
        case 1:  add(); break;
        case 2:  restart(); break;
        case 3:  remove(); break;
        default: pass_time(); break;
      }
      check();
    }
  }

 private:
  struct Entry {
    std::uint32_t index;
    Instant ends;
    Port port;
  };

  void add() {
    const Port port{std::uint16_t(random_.below(65536))};
    const auto index =
        list_.add({.flow = {{}, {{}, port}}, .snd_nxt = {}, .rcv_nxt = {}}, now_, length);
    model_.push_back({index, now_ + length, port});
  }
  auto any() { return std::next(model_.begin(), std::ptrdiff_t(random_.below(model_.size()))); }
  void restart() {
    if (model_.empty()) return;
    const auto at = any();
    list_.restart(at->index, now_, length);
    at->ends = now_ + length;
    model_.splice(model_.end(), model_, at);
  }
  void remove() {
    if (model_.empty()) return;
    const auto at = any();
    list_.remove(at->index);
    model_.erase(at);
  }
  void pass_time() {
    now_ += Duration(random_.below(std::uint64_t(Duration(20s).count())));
    while (list_.first() != TimeWait::none && list_.ends(list_.first(), now_) <= now_) {
      ASSERT_FALSE(model_.empty());
      ASSERT_EQ(list_.first(), model_.front().index);
      ASSERT_LE(model_.front().ends, now_) << "it ended early";
      list_.remove(list_.first());
      model_.pop_front();
    }
  }
  void check() {
    ASSERT_EQ(list_.size(), model_.size());
    ASSERT_EQ(list_.first(), model_.empty() ? TimeWait::none : model_.front().index);
    auto at = model_.begin();
    list_.for_each([&](const TimeWait& record, std::uint32_t index) {
      ASSERT_NE(at, model_.end());
      EXPECT_EQ(index, at->index);
      EXPECT_EQ(record.flow.remote.port, at->port);
      // Never early, and late by less than the tick of a millisecond.
      EXPECT_GE(list_.ends(index, now_), at->ends);
      EXPECT_LT(list_.ends(index, now_), at->ends + 1ms);
      ++at;
    });
    ASSERT_EQ(at, model_.end());
  }

  Random& random_;
  Instant now_{};
  TimeWaitList list_;
  std::list<Entry> model_;  // In the order in which they end.
};

TEST(TimeWaitList, Is_in_the_order_in_which_its_records_end_whatever_comes_and_goes) {
  for_each_seed(60, [](Random& random) { Comparison(random).run(400); });
}

}  // namespace
}  // namespace estab::tcp
