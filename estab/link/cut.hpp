// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "estab/base/packet.hpp"

namespace estab::link {

// Writes the TCP checksum of a packet of ours if its notes say that the field does not hold it
// yet, and notes that it is complete. IPv6 extension headers are not looked behind.
void finish_checksum(Packet& packet);

// Appends to `out` what any device can carry: the segments of a super-segment, each of
// segment_size octets of text that are shared with it, not copied; or the packet itself. Checksums
// are finished. Returns how many segments were dropped because the pool had no memory.
[[nodiscard]] std::size_t cut(PacketPool& pool, Packet packet, PacketList& out);

}  // namespace estab::link
