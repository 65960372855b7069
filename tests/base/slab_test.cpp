// SPDX-License-Identifier: Apache-2.0
#include "estab/base/slab.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "estab/base/random.hpp"

namespace estab {
namespace {

struct Counted {
  explicit Counted(int v) : value(v) { ++alive; }
  ~Counted() { --alive; }
  Counted(const Counted&) = delete;
  int value;
  static inline int alive = 0;
};

TEST(Slab, ANameFindsItsObjectUntilItIsErasedAndNeverAnother) {
  Random random{1};
  Slab<Counted> slab;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::pair<int, Counted*>> model;
  std::vector<Slab<Counted>::Name> gone;
  for (int i = 0; i < 20000; ++i) {
    // The population swings, so that chunks fill, empty and come back.
    const bool grows = i / 500 % 2 == 0;
    if (model.empty() || random.chance(grows ? 0.8 : 0.2)) {
      const auto [name, object] = slab.emplace(i);
      model[{name.index, name.generation}] = {i, object};
    } else {
      const auto at = std::next(model.begin(), std::ptrdiff_t(random.below(model.size())));
      gone.push_back({at->first.first, at->first.second});
      slab.erase(at->first.first);
      model.erase(at);
    }
    ASSERT_EQ(slab.size(), model.size());
    ASSERT_EQ(Counted::alive, int(model.size()));
  }
  for (const auto& [name, entry] : model) {
    ASSERT_EQ(slab.find(name.first, name.second), entry.second) << "the address moved";
    ASSERT_EQ(slab[name.first].value, entry.first);
    ASSERT_EQ(slab.generation(name.first), name.second);
  }
  for (const auto& name : gone) ASSERT_EQ(slab.find(name.index, name.generation), nullptr);
  EXPECT_EQ(slab.find(1u << 30, 1), nullptr);
}

TEST(Slab, ForEachVisitsAllAndMayEraseWhatItIsGiven) {
  Slab<Counted> slab;
  for (int i = 0; i < 1000; ++i) slab.emplace(i);
  std::set<int> seen;
  slab.for_each([&](auto name, Counted& object) {
    seen.insert(object.value);
    if (object.value % 2 == 0) slab.erase(name.index);
  });
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(slab.size(), 500u);
  slab.for_each([&](auto name, Counted&) { slab.erase(name.index); });
  EXPECT_EQ(slab.size(), 0u);
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Slab, ItsDestructorDestroysWhatIsLeft) {
  {
    Slab<Counted> slab;
    for (int i = 0; i < 200; ++i) slab.emplace(i);
    EXPECT_EQ(Counted::alive, 200);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Slab, FreedPlacesAreUsedAgain) {
  Slab<Counted> slab;
  for (int i = 0; i < 64; ++i) slab.emplace(i);
  for (int i = 0; i < 1000; ++i) {
    slab.erase(std::uint32_t(i % 64));
    EXPECT_LT(slab.emplace(i).first.index, 64u);
  }
}

TEST(Slab, A_crowd_over_many_pages_comes_and_goes_and_the_lowest_place_is_taken_first) {
  Slab<Counted> slab;
  constexpr std::uint32_t count = 3 * 4096 + 100;
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(slab.emplace(int(i)).first.index, i);
    for (std::uint32_t i = 4096; i < 2 * 4096; ++i) slab.erase(i);  // A page in the middle.
    EXPECT_EQ(slab.find(4096), nullptr);
    EXPECT_EQ(slab.emplace(-1).first.index, 4096u);
    EXPECT_EQ(slab.find(4096)->value, -1);
    EXPECT_EQ(slab.find(8192)->value, 8192);
    slab.for_each([&](auto name, Counted&) { slab.erase(name.index); });
    EXPECT_EQ(slab.size(), 0u);
  }
}

}  // namespace
}  // namespace estab
