// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/pcapng.hpp"

#include <algorithm>
#include <cassert>

#include "estab/wire/pcapng_format.hpp"

namespace estab::wire::pcapng {
namespace {

// One block: its length stands at both ends, and everything in it on boundaries of four octets.
class Block {
 public:
  Block(std::vector<std::byte>& out, std::uint32_t type) : out_(out), begin_(out.size()) {
    put(type).put(std::uint32_t{0});
  }
  Block(const Block&) = delete;
  ~Block() {
    const auto length = std::uint32_t(out_.size() - begin_ + 4);
    put(length);
    for (int i = 0; i < 4; ++i) out_[begin_ + 4 + i] = std::byte(length >> 8 * i);
  }

  template <class T>
  Block& put(T value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
      out_.push_back(std::byte(std::uint64_t(value) >> 8 * i));
    return *this;
  }
  Block& put(Bytes bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    out_.resize(padded(out_.size() - begin_) + begin_);
    return *this;
  }
  // A time is two words, the high one first, in either byte order.
  Block& put(WallTime time) {
    const auto units = std::uint64_t(time.time_since_epoch().count());
    return put(std::uint32_t(units >> 32)).put(std::uint32_t(units));
  }
  Block& option(std::uint16_t code, Bytes value) {
    value = value.first(std::min<std::size_t>(value.size(), 0xffff));
    return put(code).put(std::uint16_t(value.size())).put(value);
  }
  Block& option(std::uint16_t code, std::string_view text) {
    return text.empty() ? *this : option(code, as_bytes(text));
  }
  Block& number_option(std::uint16_t code, auto value) {
    put(code).put(std::uint16_t(sizeof value)).put(value);
    return put(Bytes{});
  }
  Block& end_of_options() { return put(std::uint32_t{0}); }

 private:
  std::vector<std::byte>& out_;
  std::size_t begin_;
};

}  // namespace

void append_section(std::vector<std::byte>& out, std::string_view application) {
  constexpr std::int64_t length_unknown = -1;
  Block block{out, block_section};
  block.put(byte_order_magic).put(std::uint16_t{1}).put(std::uint16_t{0}).put(length_unknown);
  block.option(option_shb_application, application).end_of_options();
}

void append_interface(std::vector<std::byte>& out, const Interface& interface) {
  Block block{out, block_interface};
  block.put(interface.link_type).put(std::uint16_t{0}).put(interface.snap_length);
  block.option(option_if_name, interface.name);
  block.number_option(option_if_tsresol, std::uint8_t{9}).end_of_options();
}

void append_packet(std::vector<std::byte>& out, const CapturedPacket& packet) {
  assert(packet.time >= WallTime{});
  Block block{out, block_enhanced_packet};
  block.put(packet.interface).put(packet.time);
  block.put(std::uint32_t(packet.data.size())).put(packet.original_length).put(packet.data);
  block.option(option_comment, packet.comment);
  if (packet.direction != Direction::unknown)
    block.number_option(option_epb_flags, std::uint32_t(packet.direction));
  block.end_of_options();
}

void append_statistics(std::vector<std::byte>& out, const Statistics& statistics) {
  Block block{out, block_statistics};
  block.put(statistics.interface).put(statistics.time);
  block.option(option_comment, statistics.comment);
  block.number_option(option_isb_received, statistics.packets).end_of_options();
}

}  // namespace estab::wire::pcapng
