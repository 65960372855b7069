// SPDX-License-Identifier: Apache-2.0
// Packets: move-only handles on pooled, refcounted buffers (design: decisions 1 to 3).
// A packet is a linear part with headroom, then slices of buffers that it shares, such as the
// chunks of a send queue. A pool and all that comes from it belong to one thread.
#pragma once
#include <array>
#include <cassert>
#include <cstdint>
#include <utility>

#include "estab/base/bytes.hpp"

namespace estab {

class PacketPool;

// A block of pool memory; its bytes follow it.
struct Buffer {
  PacketPool* pool;
  Buffer* next;  // For the one queue or free list that holds the block.
  std::uint32_t refs;
  std::uint32_t capacity;  // Bytes that follow.
  std::uint32_t used;      // Bytes written so far, where the block is a chunk that grows.
  std::uint32_t size_class;

  std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }
  [[nodiscard]] std::uint32_t true_size() const { return capacity + sizeof(Buffer); }
};
static_assert(sizeof(Buffer) == 32);

// One reference to a Buffer. References of one buffer stay in one thread.
class BufferRef {
 public:
  BufferRef() = default;
  explicit BufferRef(Buffer* adopted) : buffer_(adopted) {}
  BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef&& other) noexcept {
    return std::swap(buffer_, other.buffer_), *this;
  }
  ~BufferRef() { release(buffer_); }

  explicit operator bool() const { return buffer_ != nullptr; }
  Buffer* operator->() const { return buffer_; }
  Buffer* get() const { return buffer_; }
  [[nodiscard]] Buffer* detach() { return std::exchange(buffer_, nullptr); }
  static void release(Buffer* buffer);

 private:
  Buffer* buffer_ = nullptr;
};

// A stretch of a shared buffer.
struct Slice {
  Buffer* buffer;
  std::uint32_t begin, length;
  [[nodiscard]] Bytes bytes() const { return {buffer->data() + begin, length}; }
};

// What a device and the stack tell each other about a packet (design: decision 1).
struct Offload {
  enum class Checksum : std::uint8_t {
    complete,  // The field holds the sum; an arriving packet is yet to be verified.
    verified,  // An arriving packet's sum was verified, or vouched for, below.
    owed,      // A leaving packet's TCP field holds the pseudo-header's sum alone.
  };
  Checksum checksum = Checksum::complete;
  std::uint16_t segment_size = 0;  // Text octets a segment of a super-segment; 0: not one.
};

class Packet {
 public:
  static constexpr std::size_t headroom = 128;  // For every header below TCP's text.
  static constexpr std::size_t max_slices = 12;

  Packet() = default;
  Packet(Packet&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  Packet& operator=(Packet&& other) noexcept { return std::swap(buffer_, other.buffer_), *this; }
  ~Packet() {
    if (buffer_) destroy();
  }

  explicit operator bool() const { return buffer_ != nullptr; }
  // All bytes, slices included.
  [[nodiscard]] std::size_t size() const { return meta().length + meta().slice_bytes; }
  [[nodiscard]] bool is_linear() const { return meta().slice_count == 0; }
  // The contiguous first part; every header lies in it.
  [[nodiscard]] MutableBytes linear() { return {buffer_->data() + meta().begin, meta().length}; }
  [[nodiscard]] Bytes linear() const { return {buffer_->data() + meta().begin, meta().length}; }
  [[nodiscard]] std::span<const Slice> slices() const {
    return {slice_array(), meta().slice_count};
  }

  Offload& offload() { return meta().offload; }
  [[nodiscard]] const Offload& offload() const { return meta().offload; }
  // Which interface it came from or goes to; the stack's numbering.
  std::uint8_t& interface() { return meta().interface; }
  [[nodiscard]] std::uint8_t interface() const { return meta().interface; }

  // Makes the linear part n bytes longer at the front, or at the end; the room is the caller's to
  // know: headroom() and tailroom().
  MutableBytes push_front(std::size_t n);
  MutableBytes append(std::size_t n);
  [[nodiscard]] std::size_t front_room() const { return meta().begin - meta().floor; }
  [[nodiscard]] std::size_t tailroom() const {
    return is_linear() ? buffer_->capacity - meta().begin - meta().length : 0;
  }
  // Drops the first n bytes, or all but the first n; n <= size().
  void pull_front(std::size_t n);
  void truncate(std::size_t n);
  // Shares `length` bytes of a buffer; false where the packet has no room for one more slice.
  [[nodiscard]] bool append_slice(Buffer* buffer, std::uint32_t begin, std::uint32_t length);
  [[nodiscard]] bool can_append_slice() const { return meta().slice_count < meta().slice_limit; }

  // Copies bytes from `offset` on; returns how many there were, at most out.size().
  std::size_t copy_to(MutableBytes out, std::size_t offset = 0) const;
  // Calls f(Bytes) for each contiguous part from `offset` on.
  template <class F>
  void for_each_part(std::size_t offset, F&& f) const {
    const auto visit = [&](Bytes part) {
      if (offset >= part.size()) offset -= part.size();
      else f(part.subspan(std::exchange(offset, 0)));
    };
    visit(linear());
    for (const auto& slice : slices()) visit(slice.bytes());
  }
  // Memory held on account of this packet: its block, and the stretches that it shares.
  [[nodiscard]] std::size_t true_size() const { return buffer_->true_size() + meta().slice_bytes; }

  // An intrusive list of packets: who holds the first holds all (see PacketList).
  Packet take_next() { return Packet{std::exchange(buffer_->next, nullptr)}; }

 private:
  friend class PacketPool;
  friend class PacketList;
  struct Meta {
    std::uint32_t begin, length, slice_bytes;
    std::uint16_t floor;  // Where the headroom starts.
    std::uint8_t slice_count, slice_limit;
    Offload offload;
    std::uint8_t interface;
  };

  explicit Packet(Buffer* adopted) : buffer_(adopted) {}
  Meta& meta() { return *reinterpret_cast<Meta*>(buffer_->data()); }
  [[nodiscard]] const Meta& meta() const { return *reinterpret_cast<const Meta*>(buffer_->data()); }
  Slice* slice_array() { return reinterpret_cast<Slice*>(buffer_->data() + sizeof(Meta)); }
  [[nodiscard]] const Slice* slice_array() const {
    return reinterpret_cast<const Slice*>(buffer_->data() + sizeof(Meta));
  }
  void destroy();
  void drop_front_slices(std::size_t bytes);

  Buffer* buffer_ = nullptr;
};

// Packets in order, linked through themselves: no allocation.
class PacketList {
 public:
  PacketList() = default;
  PacketList(PacketList&& other) noexcept
      : head_(std::exchange(other.head_, nullptr)), tail_(std::exchange(other.tail_, nullptr)) {}
  PacketList& operator=(PacketList&& other) noexcept {
    std::swap(head_, other.head_), std::swap(tail_, other.tail_);
    return *this;
  }
  ~PacketList() { clear(); }

  [[nodiscard]] bool empty() const { return head_ == nullptr; }
  void push_back(Packet packet);
  void push_front(Packet packet);
  Packet pop_front();
  void append(PacketList&& other);
  void clear() {
    while (!empty()) pop_front();
  }
  // The first and the last packet, lent: f(Packet&) must not move it away. The list is not empty.
  template <class F> decltype(auto) with_front(F&& f) { return lend(head_, f); }
  template <class F> decltype(auto) with_back(F&& f) { return lend(tail_, f); }
  template <class F> void for_each(F&& f) const {
    for (auto* b = head_; b != nullptr; b = b->next) lend(b, f);
  }

 private:
  template <class F> static decltype(auto) lend(Buffer* buffer, F&& f) {
    struct Loan {
      Packet packet;
      ~Loan() { packet.buffer_ = nullptr; }
    } loan{Packet{buffer}};
    return f(loan.packet);
  }
  Buffer* head_ = nullptr;
  Buffer* tail_ = nullptr;
};

// Blocks by size class, kept for reuse: so many as a quarter of what is in use, and a few MiB more.
// The rest goes back to the system. It must outlive all that it gave out.
class PacketPool {
 public:
  static constexpr std::size_t always_kept = 8 << 20;  // Bytes.
  // The most bytes that may be out at once; allocation past it gives an empty handle.
  explicit PacketPool(std::size_t limit_bytes = SIZE_MAX) : limit_(limit_bytes) {}
  ~PacketPool();
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  // A linear packet with `length` bytes (uninitialised) after the usual headroom.
  [[nodiscard]] Packet allocate(std::size_t length);
  // A packet for a header of at most 256 bytes, built back to front, and max_slices slices.
  [[nodiscard]] Packet allocate_gather();
  // A block with room for at least `bytes`, or the largest there is; `used` is 0.
  [[nodiscard]] BufferRef allocate_chunk(std::size_t bytes);
  // A linear copy of the first `length` bytes, with the usual headroom and the same notes.
  [[nodiscard]] Packet copy(const Packet& packet, std::size_t length = SIZE_MAX);
  // A packet of its own whose text is shared with `packet`: the first `linear` bytes are copied.
  [[nodiscard]] Packet share(const Packet& packet, std::size_t linear, std::size_t begin,
                             std::size_t length);

  [[nodiscard]] std::size_t live_bytes() const { return live_; }
  [[nodiscard]] std::size_t peak_bytes() const { return peak_; }
  [[nodiscard]] std::size_t cached_bytes() const { return cached_; }
  // Counts trips to the system's allocator: a hot path must not raise it.
  [[nodiscard]] std::uint64_t system_allocations() const { return system_allocations_; }
  // Gives all that is not in use back to the system's allocator.
  void trim();

 private:
  friend class BufferRef;
  static constexpr std::array<std::uint32_t, 5> class_bytes{512, 2048, 16384, 65536 + 1024, 0};
  Buffer* take(std::size_t bytes);
  void shrink();
  void give_back(Buffer* buffer);
  static Packet dress(Buffer* buffer, std::size_t floor, std::size_t begin, std::size_t slices);

  std::array<Buffer*, class_bytes.size()> free_{};
  std::size_t limit_, live_ = 0, peak_ = 0, cached_ = 0;
  std::uint64_t system_allocations_ = 0;
};

}  // namespace estab
