// SPDX-License-Identifier: Apache-2.0
// The SYN cache beside a plain list of records.
#include "estab/stack/syn_cache.hpp"

#include <map>
#include <optional>

#include "tests/seeds.hpp"

namespace estab {
namespace {

constexpr std::uint32_t places = 64;

Flow flow_of(std::uint32_t number) {
  return {{Address::v4(10, 0, 0, 1), Port{80}},
          {Address::v4(198, 51, 100, std::uint8_t(number >> 8)), Port{std::uint16_t(number)}}};
}

class Comparison {
 public:
  explicit Comparison(Random& random) : random_(random) { cache_.reserve(places); }

  void run(int steps) {
    for (int n = 0; n < steps && !testing::Test::HasFailure(); ++n) {
      switch (random_.below(8)) {
        case 0:
        case 1:
        case 2:  add(); break;
        case 3:  erase(); break;
        case 4:  wait_again(); break;
        case 5:  evict(); break;
        default: pass_time(); break;
      }
      check();
    }
  }

 private:
  struct Entry {
    std::uint32_t number;
    std::uint64_t hash;
    std::uint32_t generation;
    Instant opened, due;
    unsigned retransmissions;
    std::uint64_t order;  // Of its wait among all waits.
    bool waits;
  };

  // Few buckets and few tags, so that places run out and whole hashes collide.
  std::uint64_t draw_hash() {
    return random_.below(4) * 3 | random_.below(3) << 32 | random_.below(2) << 20;
  }
  static Duration interval(unsigned retransmissions) {
    return Duration(1s) * (1u << retransmissions);
  }

  void add() {
    const auto hash = draw_hash();
    const auto place = cache_.free_place(hash);
    if (place == SynCache::none) return;
    ASSERT_FALSE(model_.contains(place)) << "the place is taken";
    const auto number = next_number_++;
    tcp::HalfOpen record{.opened = now_, .flow = flow_of(number), .irs = {}, .iss = {}};
    cache_.emplace(place, hash, record);
    const auto generation = cache_.generation(place);
    model_[place] = {number, hash, generation, now_, never, 0, 0, false};
    if (random_.chance(0.9)) wait(place);
  }
  void wait(SynCache::Index at) {
    auto& entry = model_.at(at);
    entry.retransmissions = cache_[at].retransmissions;
    entry.due = now_ + interval(entry.retransmissions);
    entry.order = ++order_;
    entry.waits = true;
    cache_.wait(at, entry.due);
  }
  std::optional<SynCache::Index> any() {
    if (model_.empty()) return {};
    return std::next(model_.begin(), std::ptrdiff_t(random_.below(model_.size())))->first;
  }
  void erase() {
    const auto at = any();
    if (!at) return;
    cache_.erase(*at);
    gone_ = {*at, model_.at(*at).generation};
    model_.erase(*at);
    EXPECT_EQ(cache_.find(gone_->first, gone_->second), SynCache::none) << "a name came back";
  }
  // As after the SYN-ACK was sent again.
  void wait_again() {
    const auto at = any();
    if (!at) return;
    if (cache_[*at].retransmissions < SynCache::most_retransmissions) ++cache_[*at].retransmissions;
    wait(*at);
  }
  void evict() {
    const auto hash = draw_hash();
    const auto even = [](const tcp::HalfOpen& record) {
      return number(record.flow.remote.port) % 2 == 0;
    };
    const auto at = cache_.oldest_in_bucket(hash, even);
    // The same, by looking at all: a bucket is where records of these hashes can stand.
    std::optional<Instant> oldest;
    for (const auto& [place, entry] : model_)
      if (entry.number % 2 == 0 && same_bucket(entry.hash, hash) &&
          (!oldest || entry.opened < *oldest))
        oldest = entry.opened;
    ASSERT_EQ(at == SynCache::none, !oldest);
    if (oldest) { EXPECT_EQ(model_.at(at).opened, *oldest); }
    if (oldest) { EXPECT_EQ(model_.at(at).number % 2, 0u); }
    const auto any_even = cache_.oldest(even);
    if (any_even != SynCache::none) { EXPECT_TRUE(even(cache_[any_even])); }
  }
  [[nodiscard]] bool same_bucket(std::uint64_t a, std::uint64_t b) const {
    const auto buckets = cache_.capacity() / SynCache::ways;
    return a % buckets == b % buckets;
  }
  void pass_time() {
    now_ += Duration(random_.below(std::uint64_t(Duration(700ms).count())));
    for (auto at = cache_.pop_due(now_); at != SynCache::none; at = cache_.pop_due(now_)) {
      ASSERT_TRUE(model_.contains(at));
      ASSERT_TRUE(model_.at(at).waits);
      ASSERT_LE(model_.at(at).due, now_) << "it was due early";
      model_.at(at).waits = false;
    }
    for (const auto& [at, entry] : model_)
      if (entry.waits) { ASSERT_GT(entry.due, now_) << "its wait is over, and nobody said so"; }
  }
  void check() {
    ASSERT_EQ(cache_.size(), model_.size());
    Instant next = never;
    std::map<std::uint64_t, unsigned> in_bucket;
    std::size_t waiting = 0;
    for (const auto& [at, entry] : model_) {
      EXPECT_EQ(cache_.find(entry.hash, flow_of(entry.number)), at);
      EXPECT_EQ(cache_.find(at, entry.generation), at);
      EXPECT_EQ(cache_[at].flow, flow_of(entry.number));
      ++in_bucket[entry.hash % (cache_.capacity() / SynCache::ways)];
      if (entry.waits) next = std::min(next, entry.due), ++waiting;
    }
    EXPECT_EQ(cache_.next_deadline(), next);
    for (std::uint64_t bucket = 0; bucket < cache_.capacity() / SynCache::ways; ++bucket)
      EXPECT_EQ(cache_.free_place(bucket) == SynCache::none, in_bucket[bucket] >= SynCache::ways);
    EXPECT_EQ(cache_.find(draw_hash(), flow_of(next_number_)), SynCache::none);
    check_order(waiting);
  }
  // Those with as many retransmissions come in the order in which their waits began.
  void check_order(std::size_t waiting) {
    std::size_t visited = 0;
    std::map<unsigned, std::uint64_t> last;
    cache_.for_each([&](SynCache::Index at, const tcp::HalfOpen&) {
      ++visited;
      ASSERT_TRUE(model_.contains(at));
      const auto& entry = model_.at(at);
      EXPECT_TRUE(entry.waits);
      EXPECT_GT(entry.order, last[entry.retransmissions]);
      last[entry.retransmissions] = entry.order;
    });
    EXPECT_EQ(visited, waiting);
  }

  Random& random_;
  SynCache cache_;
  std::map<SynCache::Index, Entry> model_;
  std::optional<std::pair<SynCache::Index, std::uint32_t>> gone_;
  Instant now_{1000s};
  std::uint32_t next_number_ = 1;
  std::uint64_t order_ = 0;
};

TEST(SynCache, Holds_what_a_plain_list_holds_and_wakes_each_record_in_time) {
  for_each_seed(40, [](Random& random) { Comparison(random).run(800); });
}

TEST(SynCache, Nothing_fits_before_its_memory_is_taken) {
  SynCache cache;
  EXPECT_EQ(cache.capacity(), 0u);
  EXPECT_EQ(cache.free_place(1), SynCache::none);
  EXPECT_EQ(cache.find(1, flow_of(1)), SynCache::none);
  EXPECT_EQ(cache.oldest_in_bucket(1, [](const auto&) { return true; }), SynCache::none);
  EXPECT_EQ(cache.next_deadline(), never);
  cache.reserve(100);
  EXPECT_GE(cache.capacity(), 100u);
  EXPECT_NE(cache.free_place(1), SynCache::none);
}

}  // namespace
}  // namespace estab
