// SPDX-License-Identifier: Apache-2.0
// Capture files as bytes: blocks of pcapng (draft-ietf-opsawg-pcapng) out, and in again, whoever
// wrote them; classic pcap is read too, because tcpdump writes it. No file is touched here.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "estab/base/bytes.hpp"
#include "estab/base/time.hpp"

namespace estab::wire::pcapng {

// Nanoseconds since 1970, UTC; the caller has it from a clock, nobody here has one.
using WallTime = std::chrono::sys_time<Duration>;

// What a packet's bytes start with, of the many that files may name.
inline constexpr std::uint16_t link_type_ethernet = 1, link_type_raw = 101;

struct Interface {
  std::uint16_t link_type = link_type_raw;
  std::uint32_t snap_length = 0;  // Octets kept of a packet at the most; 0: all.
  std::string name;
  std::uint8_t resolution = 9;      // if_tsresol: 10^-n s, or 2^-n s with the top bit set.
  std::int64_t offset_seconds = 0;  // if_tsoffset, added to each time.
};

enum class Direction : std::uint8_t { unknown, inbound, outbound };

struct CapturedPacket {
  std::uint32_t interface = 0;  // In the order of the section's interfaces.
  WallTime time{};
  std::uint32_t original_length = 0;  // Octets on the wire; data may be fewer.
  Direction direction = Direction::unknown;
  std::string comment;  // UTF-8; several are joined by line ends.
  Bytes data;           // Read: a stretch of the file.
};

struct Statistics {
  std::uint32_t interface = 0;
  WallTime time{};
  std::uint64_t packets = 0;
  std::string comment;
};

// Each appends one whole block, little-endian. A section comes first, then its interfaces, then
// what names them. Texts are cut to the 65,535 octets that an option holds.
void append_section(std::vector<std::byte>& out, std::string_view application);
// Times are written in nanoseconds, whatever `interface` says of resolution and offset.
void append_interface(std::vector<std::byte>& out, const Interface& interface);
// The time is not before 1970.
void append_packet(std::vector<std::byte>& out, const CapturedPacket& packet);
void append_statistics(std::vector<std::byte>& out, const Statistics& statistics);

enum class Ending : std::uint8_t {
  complete,       // After a whole block, or not there yet.
  cut_short,      // In the middle of a block: the writer was stopped.
  malformed,      // A block contradicts itself.
  not_a_capture,  // The file starts like neither pcapng nor pcap.
};

// Reads the packets of a file, of either byte order and any number of sections; blocks that carry
// no packet are passed over. Enhanced packet blocks are the ones read: all that dumpcap writes.
class Reader {
 public:
  // `file` must outlive the reader and the packets that it gives.
  explicit Reader(Bytes file);
  // The next packet; none: ending() says why.
  [[nodiscard]] std::optional<CapturedPacket> next();
  [[nodiscard]] Ending ending() const { return ending_; }
  // Bytes up to the end of the last whole block that was read.
  [[nodiscard]] std::size_t whole_bytes() const { return at_; }
  // Of the section that was read last.
  [[nodiscard]] const std::vector<Interface>& interfaces() const { return interfaces_; }

 private:
  template <class T> [[nodiscard]] T load(Bytes from, std::size_t at) const;
  bool start_pcap();
  std::optional<CapturedPacket> next_record();
  std::optional<Bytes> next_block(std::uint32_t& type);
  bool take_byte_order(Bytes block);
  bool take_interface(Bytes body);
  bool take_packet(Bytes body, CapturedPacket& packet) const;
  template <class F> void for_each_option(Bytes options, F&& f) const;
  bool stop(Ending why) { return ending_ = why, false; }

  Bytes file_;
  std::size_t at_ = 0;
  bool classic_ = false, big_endian_ = false;
  Ending ending_ = Ending::complete;
  std::vector<Interface> interfaces_;
};

}  // namespace estab::wire::pcapng
