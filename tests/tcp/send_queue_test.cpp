// SPDX-License-Identifier: Apache-2.0
// The send queue beside a std::string.
#include "estab/tcp/send_queue.hpp"

#include "queue_parts.hpp"

namespace estab::tcp {
namespace {

// Returns how much was taken; `books` follow the true size.
template <class Queue>
std::size_t append(Queue& queue, PacketPool& pool, std::string_view text, std::size_t& books) {
  if constexpr (keeps_books<Queue>) {
    const auto taken = queue.append(pool, bytes_of(text));
    books = queue.true_size();
    return taken;
  } else {
    return queue.append(pool, bytes_of(text), books);
  }
}
template <class Queue>
void consume(Queue& queue, std::size_t n, std::size_t& books) {
  if constexpr (keeps_books<Queue>) {
    queue.consume(std::uint32_t(n));
    books = queue.true_size();
  } else {
    books -= queue.consume(std::uint32_t(n));
  }
}

class Comparison {
 public:
  explicit Comparison(Random& random, std::size_t pool_limit = SIZE_MAX)
      : random_(random), pool_(pool_limit) {}

  void run(int steps) {
    for (int n = 0; n < steps && !testing::Test::HasFailure(); ++n) {
      switch (random_.below(4)) {
        case 0:  write(); break;
        case 1:  acknowledge(); break;
        default: share(); break;
      }
      EXPECT_EQ(queue_.size(), model_.size());
      if (shared_.empty()) { EXPECT_EQ(pool_.live_bytes(), books_) << "the books"; }
    }
    shared_.clear();
    consume(queue_, queue_.size(), books_);
    EXPECT_EQ(books_, 0u);
    EXPECT_EQ(pool_.live_bytes(), 0u);
  }

 private:
  void write() {
    if (model_.size() > (1 << 20)) return;
    const auto longest = random_.chance(0.2) ? 200'000u : random_.chance(0.5) ? 3'000u : 20u;
    const auto text = random_string(random_, between(random_, 0, longest));
    const auto taken = append(queue_, pool_, text, books_);
    ASSERT_LE(taken, text.size());
    model_ += text.substr(0, taken);
  }
  void acknowledge() {
    // Often less than a chunk, so that the head is begun, sometimes all.
    auto n = std::min<std::size_t>(between(random_, 0, 5'000), model_.size());
    if (random_.chance(0.1)) n = random_.below(model_.size() + 1);
    if (random_.chance(0.05)) n = model_.size();
    consume(queue_, n, books_);
    model_.erase(0, n);
    if (random_.chance(0.5)) shared_.clear();  // Those in flight live longer than what they share.
    for (const auto& [packet, text] : shared_) ASSERT_EQ(string_of(packet), text);
  }
  // Either where the last one ended, as bulk goes, or anywhere, as a retransmission does.
  void share() {
    std::size_t offset = random_.chance(0.6) ? last_end_ : random_.below(model_.size() + 1);
    offset = std::min(offset, model_.size());
    const auto most = std::min<std::size_t>(model_.size() - offset, 65'000);
    const auto length = std::uint32_t(random_.below(most + 1));
    Packet packet = pool_.allocate_gather();
    if (!packet) return;
    const auto done = queue_.share(std::uint32_t(offset), length, packet);
    const auto expected = model_.substr(offset, done);
    ASSERT_LE(done, length);
    ASSERT_EQ(string_of(packet), expected) << "at " << offset << ", " << length << " bytes";
    ASSERT_TRUE(done == length || !packet.can_append_slice()) << "there was room in the packet";
    last_end_ = offset + done;
    if (shared_.size() < 20) shared_.emplace_back(std::move(packet), expected);
  }

  Random& random_;
  PacketPool pool_;
  SendQueue queue_;
  std::string model_;
  std::vector<std::pair<Packet, std::string>> shared_;
  std::size_t books_ = 0, last_end_ = 0;
};

TEST(SendQueue, Shares_what_a_string_would_hold_at_any_place_after_any_acknowledgment) {
  for_each_seed(40, [](Random& random) { Comparison(random).run(600); });
}

TEST(SendQueue, Takes_only_as_much_as_the_pool_has_room_for) {
  for_each_seed(40, [](Random& random) { Comparison(random, 300'000).run(600); });
}

}  // namespace
}  // namespace estab::tcp
