// SPDX-License-Identifier: Apache-2.0
// The header with which the kernel's TUN, TAP and packet sockets pass super-segments and checksums
// that are still owed (Virtual I/O Device 1.2, §5.1.6), and the notes on a packet that say the
// same.
#pragma once
#include <cstdint>

#include "estab/base/packet.hpp"

namespace estab::link {

// In the machine's byte order. <linux/virtio_net.h> has it too, but is no C++.
struct VirtioNetHeader {
  enum Flags : std::uint8_t { needs_checksum = 1, data_valid = 2 };
  enum Gso : std::uint8_t { whole = 0, tcp_v4 = 1, tcp_v6 = 4, with_ecn = 0x80 };
  std::uint8_t flags = 0;
  std::uint8_t gso_type = whole;
  std::uint16_t header_length = 0;    // Of all headers, where it is to be cut.
  std::uint16_t segment_size = 0;     // Octets of text in each segment.
  std::uint16_t checksum_start = 0;   // What the sum is over begins there ...
  std::uint16_t checksum_offset = 0;  // ... and it belongs so far behind that.
};
static_assert(sizeof(VirtioNetHeader) == 10);

// Of a leaving IP packet whose headers are in packet.linear(); all zeros where nothing is owed.
[[nodiscard]] VirtioNetHeader to_virtio(const Packet& packet);
// Of an arriving one.
[[nodiscard]] Offload from_virtio(const VirtioNetHeader& header);

// Whether a device that cuts by such a header would cut this super-segment rightly: the urgent
// pointer is left as it is, and so would point elsewhere in each segment.
[[nodiscard]] bool virtio_can_cut(const Packet& packet);

}  // namespace estab::link
