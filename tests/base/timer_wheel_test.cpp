// SPDX-License-Identifier: Apache-2.0
#include "estab/base/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "estab/base/random.hpp"

namespace estab {
namespace {

constexpr Instant at(Duration since) { return Instant{since}; }

TEST(TimerWheel, IsEmptyAtFirst) {
  TimerWheel wheel;
  EXPECT_EQ(wheel.next_deadline(), never);
  EXPECT_EQ(wheel.pop_due(at(100h)), nullptr);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, ANodeIsDueAtItsDeadlineAndNotANanosecondBefore) {
  for (const Duration deadline :
       {Duration{1}, Duration{1ms}, Duration{1s}, Duration{2h}, Duration{24h * 365 * 100}}) {
    TimerWheel wheel;
    TimerNode node;
    wheel.arm(node, at(deadline));
    EXPECT_EQ(wheel.next_deadline(), at(deadline));
    EXPECT_EQ(wheel.pop_due(at(deadline - 1ns)), nullptr);
    EXPECT_EQ(wheel.pop_due(at(deadline)), &node);
    EXPECT_FALSE(node.armed());
    EXPECT_EQ(wheel.pop_due(at(deadline)), nullptr);
    EXPECT_EQ(wheel.next_deadline(), never);
  }
}

TEST(TimerWheel, ADeadlineInThePastIsDueAtOnce) {
  TimerWheel wheel;
  TimerNode late, early;
  wheel.arm(late, at(5s));
  EXPECT_EQ(wheel.pop_due(at(4s)), nullptr);
  wheel.arm(early, at(-1s));
  EXPECT_LE(wheel.next_deadline(), at(4s));
  EXPECT_EQ(wheel.pop_due(at(4s)), &early);
  EXPECT_EQ(wheel.pop_due(at(4s)), nullptr);
  wheel.disarm(late);
}

TEST(TimerWheel, DisarmingTakesANodeOutWhereverItLies) {
  TimerWheel wheel;
  std::array<TimerNode, 3> nodes;
  for (auto& node : nodes) wheel.arm(node, at(3s));
  wheel.disarm(nodes[1]);
  wheel.disarm(nodes[1]);  // Twice is once.
  EXPECT_EQ(wheel.size(), 2u);
  // What is due, but not yet taken, may still be disarmed.
  TimerNode* first = wheel.pop_due(at(3s));
  ASSERT_NE(first, nullptr);
  wheel.disarm(first == &nodes[0] ? nodes[2] : nodes[0]);
  EXPECT_EQ(wheel.pop_due(at(3s)), nullptr);
  EXPECT_EQ(wheel.size(), 0u);
}

// The wheel beside a sorted map, under random arming, moving, disarming and jumps of time.
class Comparison {
 public:
  Comparison(std::uint64_t seed, Instant start) : random_(seed), now_(start) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      const auto pick = random_.below(10);
      if (pick < 4) arm();
      else if (pick < 6) disarm();
      else advance();
      if (testing::Test::HasFatalFailure()) return;
    }
    drain();
  }

 private:
  TimerNode& any_node() { return nodes_[random_.below(nodes_.size())]; }
  // From nanoseconds to days, as likely each: every level of the wheel is used.
  Duration any_time() {
    return Duration{std::int64_t(random_.below(std::uint64_t{1} << (1 + random_.below(47))))};
  }
  void forget(TimerNode& node) {
    const auto [begin, end] = model_.equal_range(node.deadline);
    const auto found = std::find_if(begin, end, [&](const auto& e) { return e.second == &node; });
    if (found != end) model_.erase(found);
  }
  void arm() {
    TimerNode& node = any_node();
    if (node.armed()) forget(node);
    const Instant deadline = now_ + any_time() - (random_.chance(0.1) ? 10s : 0s);
    wheel_.arm(node, deadline);
    model_.emplace(deadline, &node);
    check();
  }
  void disarm() {
    TimerNode& node = any_node();
    if (node.armed()) forget(node);
    wheel_.disarm(node);
    check();
  }
  void advance() {
    now_ += any_time();
    pop_all();
    check();
  }
  void pop_all() {
    while (TimerNode* node = wheel_.pop_due(now_)) {
      ASSERT_LE(node->deadline, now_) << "popped before its time";
      const auto before = model_.size();
      forget(*node);
      ASSERT_EQ(model_.size(), before - 1) << "popped, but not armed";
    }
    ASSERT_TRUE(model_.empty() || model_.begin()->first > now_) << "due, but not popped";
  }
  void check() {
    ASSERT_EQ(wheel_.size(), model_.size());
    if (model_.empty()) return;
    ASSERT_LE(wheel_.next_deadline(), model_.begin()->first) << "it would sleep too long";
  }
  // Sleeping from deadline to deadline ends: no deadline that is reached comes again.
  void drain() {
    for (int naps = 0; !model_.empty(); ++naps) {
      ASSERT_LT(naps, 5000);
      const Instant deadline = wheel_.next_deadline();
      ASSERT_NE(deadline, never);
      now_ = std::max(now_, deadline);
      pop_all();
      ASSERT_GT(wheel_.next_deadline(), now_);
    }
    ASSERT_EQ(wheel_.next_deadline(), never);
  }

  Random random_;
  Instant now_;
  std::deque<TimerNode> nodes_{200};
  std::multimap<Instant, TimerNode*> model_;
  TimerWheel wheel_;
};

TEST(TimerWheel, AgreesWithASortedMapFromAnyStart) {
  constexpr std::array<std::int64_t, 5> starts{0, 1 << 20, (1ll << 31) - 1, (1ll << 62) - 1,
                                               1ll << 62};
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Comparison{seed, at(Duration{starts[seed % starts.size()]})}.run(2000);
    if (HasFatalFailure()) return;
  }
}

TEST(TimerWheel, NodesMayBeArmedWhileOthersArePopped) {
  TimerWheel wheel;
  std::array<TimerNode, 2> nodes;
  wheel.arm(nodes[0], at(1s));
  wheel.arm(nodes[1], at(1s));
  int popped = 0;
  // Each pop arms its node anew, once in the past and once in the future.
  while (TimerNode* node = wheel.pop_due(at(2s))) {
    ++popped;
    wheel.arm(*node, popped <= 4 ? at(1500ms) : at(3s));
  }
  EXPECT_EQ(popped, 6);
  EXPECT_EQ(wheel.size(), 2u);
  EXPECT_EQ(wheel.next_deadline(), at(3s));
  for (auto& node : nodes) wheel.disarm(node);
}

// Pops as far as so much work allows; how many entries that took.
std::uint32_t pop_some(TimerWheel& wheel, Instant now, std::uint32_t allowed,
                       std::vector<TimerNode*>& popped) {
  Work work;
  work.allow(allowed);
  while (TimerNode* node = wheel.pop_due(now, work)) popped.push_back(node);
  return work.most();
}

TEST(TimerWheel, A_call_takes_no_more_nodes_than_its_work_allows_and_the_rest_is_due_at_once) {
  for (const Duration deadline : {Duration{1ms}, Duration{70ms}, Duration{1h}}) {
    TimerWheel wheel;
    std::deque<TimerNode> nodes(10'000);
    TimerNode later;
    for (auto& node : nodes) wheel.arm(node, at(deadline));
    wheel.arm(later, at(deadline + 1ns));
    std::vector<TimerNode*> popped;
    int calls = 0;
    while (wheel.next_deadline() <= at(deadline)) {
      ASSERT_LE(pop_some(wheel, at(deadline), 100, popped), 100u);
      ASSERT_LT(++calls, 2000);
    }
    EXPECT_GE(calls, 200);
    ASSERT_EQ(popped.size(), nodes.size());
    // In the order in which they were armed, as without a limit.
    for (std::size_t n = 0; n < nodes.size(); ++n) ASSERT_EQ(popped[n], &nodes[n]);
    EXPECT_EQ(wheel.size(), 1u);
    EXPECT_EQ(wheel.next_deadline(), at(deadline + 1ns));
    wheel.disarm(later);
  }
}

TEST(TimerWheel, Nodes_may_be_moved_and_disarmed_while_a_slot_is_being_laid_anew) {
  TimerWheel wheel;
  std::deque<TimerNode> nodes(1000);
  for (auto& node : nodes) wheel.arm(node, at(1h));
  std::vector<TimerNode*> popped;
  pop_some(wheel, at(1h), 500, popped);  // Half of them lie in the slot that was opened.
  EXPECT_TRUE(popped.empty());
  for (std::size_t n = 0; n < nodes.size(); n += 2) wheel.disarm(nodes[n]);
  for (std::size_t n = 1; n < nodes.size(); n += 4) wheel.arm(nodes[n], at(2h));
  EXPECT_EQ(wheel.size(), 500u);
  while (wheel.next_deadline() <= at(1h)) pop_some(wheel, at(1h), 7, popped);
  EXPECT_EQ(popped.size(), 250u);
  for (const TimerNode* node : popped) EXPECT_EQ(node->deadline, at(1h));
  EXPECT_EQ(wheel.next_deadline(), at(2h));
  while (wheel.next_deadline() <= at(2h)) pop_some(wheel, at(2h), 7, popped);
  EXPECT_EQ(popped.size(), 500u);
  EXPECT_EQ(wheel.size(), 0u);
}

}  // namespace
}  // namespace estab
