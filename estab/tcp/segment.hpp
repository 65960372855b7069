// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "estab/base/packet.hpp"
#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::tcp {

// One arriving segment, parsed and verified, in host order (RFC 9293 §3.3.1, "SEG.…").
struct Segment {
  Flow flow;  // Local is us.
  Seq seq, ack;
  std::uint32_t wnd = 0;  // As on the wire; the connection scales it.
  std::uint16_t up = 0;
  wire::Flags flags;
  wire::Options options;
  wire::Ecn ecn = wire::Ecn::not_ect;
  std::uint8_t dscp = 0;
  Packet packet;  // Stripped to the text; empty handle: no text.
  std::uint32_t text = 0;
  // As it came, before the connection trimmed it to its window: SEG.SEQ, and the octets of text in
  // one segment (of a super-segment: in each of its parts).
  Seq came;
  std::uint32_t size = 0;

  // SEG.LEN counts SYN and FIN.
  [[nodiscard]] std::uint32_t len() const { return text + flags.syn + flags.fin; }
  [[nodiscard]] Seq end() const { return seq + len(); }
  void drop_text() { packet = {}, text = 0; }
};

}  // namespace estab::tcp
