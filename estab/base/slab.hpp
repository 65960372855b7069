// SPDX-License-Identifier: Apache-2.0
// Objects of one type in chunks of 64: stable addresses, names of index and generation that never
// come back, and chunks given back to the system when they are empty. Chunks stand in pages of 64,
// so that no operation moves more than one pointer in 4096 objects when the slab grows.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace estab {

template <class T>
class Slab {
 public:
  struct Name {
    std::uint32_t index, generation;
  };
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    for_each([&](Name name, T&) { erase(name.index); });
  }

  // Takes the lowest place that is free.
  template <class... Args>
  std::pair<Name, T*> emplace(Args&&... args) {
    const std::uint32_t at = page_with_room();
    Page& page = *pages_[at];
    const auto number = std::uint32_t(std::countr_zero(page.roomy));
    Chunk& chunk = chunk_of(page, number);
    const auto slot = std::uint32_t(std::countr_one(chunk.used));
    T* object = new (&chunk.slots[slot]) T(std::forward<Args>(args)...);
    chunk.used |= std::uint64_t{1} << slot;
    if (chunk.used == ~std::uint64_t{0}) {
      page.roomy &= ~(std::uint64_t{1} << number);
      if (page.roomy == 0) roomy_[at / 64] &= ~(std::uint64_t{1} << at % 64);
    }
    if (++generation_ == 0) ++generation_;
    chunk.generations[slot] = generation_;
    ++size_;
    return {{(at * 64 + number) * 64 + slot, generation_}, object};
  }
  // Null where nothing of this name lives.
  [[nodiscard]] T* find(std::uint32_t index, std::uint32_t generation) const {
    T* object = find(index);
    return object != nullptr && this->generation(index) == generation ? object : nullptr;
  }
  // Whatever lives at this index; null where nothing does.
  [[nodiscard]] T* find(std::uint32_t index) const {
    const std::uint32_t at = index / 4096, slot = index % 64;
    if (at >= pages_.size() || !pages_[at]) return nullptr;
    const auto& chunk = pages_[at]->chunks[index / 64 % 64];
    return chunk && chunk->used >> slot & 1 ? chunk->object(slot) : nullptr;
  }
  // The caller knows that it lives.
  [[nodiscard]] T& operator[](std::uint32_t index) const {
    return *chunk_at(index).object(index % 64);
  }
  [[nodiscard]] std::uint32_t generation(std::uint32_t index) const {
    return chunk_at(index).generations[index % 64];
  }
  void erase(std::uint32_t index) {
    const std::uint32_t at = index / 4096, number = index / 64 % 64, slot = index % 64;
    Page& page = *pages_[at];
    auto& chunk = page.chunks[number];
    std::destroy_at(chunk->object(slot));
    chunk->used &= ~(std::uint64_t{1} << slot);
    page.roomy |= std::uint64_t{1} << number;
    roomy_[at / 64] |= std::uint64_t{1} << at % 64;
    --size_;
    if (chunk->used != 0) return;
    // One empty chunk is kept for the next object that needs one.
    if (spare_) chunk.reset();
    else spare_ = std::move(chunk);
    if (--page.made == 0) pages_[at].reset();
  }
  // f(Name, T&) for each; f may erase what it is given, and nothing else.
  template <class F>
  void for_each(F&& f) const {
    for (std::uint32_t at = 0; at < pages_.size(); ++at)
      for (std::uint32_t number = 0; number < 64 && pages_[at]; ++number) {
        const Chunk* chunk = pages_[at]->chunks[number].get();
        for (auto used = chunk != nullptr ? chunk->used : 0; used != 0; used &= used - 1) {
          const auto slot = std::uint32_t(std::countr_zero(used));
          f(Name{(at * 64 + number) * 64 + slot, chunk->generations[slot]}, *chunk->object(slot));
        }
      }
  }
  // f(Name, T&) for some of them, from index `from` on, until `most` were seen, in whole chunks; f
  // erases nothing. Returns how many it saw and where to go on: 0 at the end.
  template <class F>
  std::pair<std::uint32_t, std::uint32_t> visit(std::uint32_t from, std::uint32_t most,
                                                F&& f) const {
    std::uint32_t seen = 0, at = from / 64;
    const auto end = std::uint32_t(pages_.size() * 64);
    for (; at < end && seen + 64 <= std::max(most, 64u); ++at) {
      ++seen;  // An empty chunk costs a look as well.
      const Chunk* chunk = pages_[at / 64] ? pages_[at / 64]->chunks[at % 64].get() : nullptr;
      for (auto used = chunk != nullptr ? chunk->used : 0; used != 0; used &= used - 1, ++seen) {
        const auto slot = std::uint32_t(std::countr_zero(used));
        f(Name{at * 64 + slot, chunk->generations[slot]}, *chunk->object(slot));
      }
    }
    return {seen, at < end ? at * 64 : 0};
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Bytes that one object costs: its own, its name's, and its share of the chunk's.
  static constexpr std::size_t bytes_each = sizeof(T) + sizeof(std::uint32_t) + 1;

 private:
  struct Slot {
    alignas(T) std::byte bytes[sizeof(T)];
  };
  struct Chunk {
    std::uint64_t used = 0;
    std::uint32_t generations[64];
    Slot slots[64];
    T* object(std::uint32_t slot) const {
      return std::launder(reinterpret_cast<T*>(const_cast<std::byte*>(slots[slot].bytes)));
    }
  };
  struct Page {
    std::uint64_t roomy = ~std::uint64_t{0};  // A bit a chunk that has room, or is yet to be made.
    std::uint32_t made = 0;                   // Chunks that are there.
    std::array<std::unique_ptr<Chunk>, 64> chunks;
  };
  [[nodiscard]] Chunk& chunk_at(std::uint32_t index) const {
    return *pages_[index / 4096]->chunks[index / 64 % 64];
  }
  Chunk& chunk_of(Page& page, std::uint32_t number) {
    auto& chunk = page.chunks[number];
    if (!chunk) {
      chunk = spare_ ? std::move(spare_) : std::unique_ptr<Chunk>(new Chunk);
      ++page.made;
    }
    return *chunk;
  }
  std::uint32_t page_with_room() {
    std::uint32_t word = 0;
    while (word < roomy_.size() && roomy_[word] == 0) ++word;
    if (word == roomy_.size()) {
      if (pages_.size() == 64 * roomy_.size()) roomy_.push_back(0);
      word = std::uint32_t(roomy_.size() - 1);
      roomy_[word] |= std::uint64_t{1} << pages_.size() % 64;
      pages_.emplace_back();
    }
    const auto at = word * 64 + std::uint32_t(std::countr_zero(roomy_[word]));
    if (!pages_[at]) pages_[at] = std::make_unique<Page>();
    return at;
  }

  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<std::uint64_t> roomy_;  // A bit a page that has room, or is yet to be made.
  std::unique_ptr<Chunk> spare_;
  std::uint32_t generation_ = 0;
  std::size_t size_ = 0;
};

}  // namespace estab
