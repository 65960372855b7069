// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "estab/event/event.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::observe {

// A TCP segment as a view wants it: who sent it, its header, how much text it carries.
struct Segment {
  Endpoint source, destination;
  wire::TcpHeader tcp;
  std::uint32_t text = 0;  // Octets, though fewer may have been kept.

  // SEG.LEN of RFC 9293 §3.4: SYN and FIN take a number each.
  [[nodiscard]] std::uint32_t length() const { return text + tcp.flags.syn + tcp.flags.fin; }
  // The first number behind it.
  [[nodiscard]] Seq end() const { return tcp.seq + length(); }
};

// Reads the segment out of an event's packet; none where there is no packet, or no TCP in it.
[[nodiscard]] std::optional<Segment> read_segment(const Event& event, Bytes packet);

}  // namespace estab::observe
