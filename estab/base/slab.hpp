// SPDX-License-Identifier: Apache-2.0
// Objects of one type in chunks of 64: stable addresses, names of index and generation that never
// come back, and chunks given back to the system when they are empty.
#pragma once
#include <algorithm>
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

  template <class... Args>
  std::pair<Name, T*> emplace(Args&&... args) {
    const std::uint32_t at = chunk_with_room();
    Chunk& chunk = *chunks_[at];
    const auto slot = std::uint32_t(std::countr_one(chunk.used));
    T* object = new (&chunk.slots[slot]) T(std::forward<Args>(args)...);
    chunk.used |= std::uint64_t{1} << slot;
    if (chunk.used == ~std::uint64_t{0}) roomy_.pop_back();
    if (++generation_ == 0) ++generation_;
    chunk.generations[slot] = generation_;
    ++size_;
    return {{at * 64 + slot, generation_}, object};
  }
  // Null where nothing of this name lives.
  [[nodiscard]] T* find(std::uint32_t index, std::uint32_t generation) const {
    const std::uint32_t at = index / 64, slot = index % 64;
    if (at >= chunks_.size() || !chunks_[at]) return nullptr;
    const Chunk& chunk = *chunks_[at];
    const bool lives = chunk.used >> slot & 1 && chunk.generations[slot] == generation;
    return lives ? chunk.object(slot) : nullptr;
  }
  // Whatever lives at this index; null where nothing does.
  [[nodiscard]] T* find(std::uint32_t index) const {
    const std::uint32_t at = index / 64, slot = index % 64;
    if (at >= chunks_.size() || !chunks_[at] || !(chunks_[at]->used >> slot & 1)) return nullptr;
    return chunks_[at]->object(slot);
  }
  // The caller knows that it lives.
  [[nodiscard]] T& operator[](std::uint32_t index) const {
    return *chunks_[index / 64]->object(index % 64);
  }
  [[nodiscard]] std::uint32_t generation(std::uint32_t index) const {
    return chunks_[index / 64]->generations[index % 64];
  }
  void erase(std::uint32_t index) {
    const std::uint32_t at = index / 64, slot = index % 64;
    Chunk& chunk = *chunks_[at];
    std::destroy_at(chunk.object(slot));
    if (chunk.used == ~std::uint64_t{0}) roomy_.push_back(at);
    chunk.used &= ~(std::uint64_t{1} << slot);
    --size_;
    // One empty chunk is kept, lest the next object bring it straight back.
    if (chunk.used == 0 && size_ >= 64) chunks_[at].reset();
  }
  // f(Name, T&) for each; f may erase what it is given, and nothing else.
  template <class F>
  void for_each(F&& f) const {
    for (std::uint32_t at = 0; at < chunks_.size(); ++at) {
      for (auto used = chunks_[at] ? chunks_[at]->used : 0; used != 0; used &= used - 1) {
        const auto slot = std::uint32_t(std::countr_zero(used));
        const Chunk& chunk = *chunks_[at];
        f(Name{at * 64 + slot, chunk.generations[slot]}, *chunk.object(slot));
        if (!chunks_[at]) break;
      }
    }
  }
  // f(Name, T&) for some of them, from index `from` on, until `most` were seen, in whole chunks; f
  // erases nothing. Returns how many it saw and where to go on: 0 at the end.
  template <class F>
  std::pair<std::uint32_t, std::uint32_t> visit(std::uint32_t from, std::uint32_t most,
                                                F&& f) const {
    std::uint32_t seen = 0, at = from / 64;
    for (; at < chunks_.size() && seen + 64 <= std::max(most, 64u); ++at) {
      ++seen;  // An empty chunk costs a look as well.
      for (auto used = chunks_[at] ? chunks_[at]->used : 0; used != 0; used &= used - 1, ++seen) {
        const auto slot = std::uint32_t(std::countr_zero(used));
        f(Name{at * 64 + slot, chunks_[at]->generations[slot]}, *chunks_[at]->object(slot));
      }
    }
    return {seen, at < chunks_.size() ? at * 64 : 0};
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
  std::uint32_t chunk_with_room() {
    if (!roomy_.empty()) {
      const std::uint32_t at = roomy_.back();
      if (!chunks_[at]) chunks_[at].reset(new Chunk);
      return at;
    }
    chunks_.emplace_back(new Chunk);
    roomy_.push_back(std::uint32_t(chunks_.size() - 1));
    return roomy_.back();
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::uint32_t> roomy_;  // Chunks with room, each once.
  std::uint32_t generation_ = 0;
  std::size_t size_ = 0;
};

}  // namespace estab
