// SPDX-License-Identifier: Apache-2.0
// What a connection needs from around it: time, memory, the layer below, and somewhere to say
// what it owes.
#pragma once
#include <optional>

#include "estab/base/fifo.hpp"
#include "estab/base/timer_wheel.hpp"
#include "estab/event/event.hpp"
#include "estab/tcp/config.hpp"
#include "estab/tcp/memory.hpp"
#include "estab/tcp/secrets.hpp"
#include "estab/tcp/segment.hpp"

namespace estab::tcp {

class Connection;

// The way to a peer. It is asked for once and holds until routes or learnt path MTUs change.
struct Path {
  std::uint32_t generation = 0;        // Of what was known then; 0: nothing was asked yet.
  std::uint16_t gso_max = 0;           // Octets of the largest GSO packet's text; 0: none is taken.
  std::uint16_t mtu = 1500;            // Octets of the largest datagram that the path carries.
  std::uint16_t interface_mtu = 1500;  // Octets of the interface's largest.
  std::uint8_t interface = 0;
  bool routed : 1 = false;  // False: no interface leads there.
  // IPv4, and a router carries less than we send at the least: it is to fragment (RFC 791 §3.2).
  bool fragment : 1 = false;
};

// How a segment is to leave; IP and checksums are the layer below's.
struct Outgoing {
  const Flow& flow;
  std::uint8_t hop_limit = 64;
  std::uint8_t dscp = 0;
  std::uint16_t segment_size = 0;  // Text octets a segment, where it is a super-segment.
  State before{}, after{};         // For the event.
  Reason reason{};
  bool reset = false;          // It bears RST.
  const Path* path = nullptr;  // Where the sender knows it already.
};

// The kinds of answers to a segment whose sender has not proved that it is there. Each kind has
// limits of its own, so that none can use up what another needs.
enum class Answer : std::uint8_t {
  reset,           // For a segment that belongs to nothing here, or to a half-open record.
  syn_sent_reset,  // To an ACK that does not acknowledge the SYN of an active open.
  half_open_ack,   // From a half-open record: not acceptable, or a challenge.
  time_wait_ack,   // From TIME-WAIT: likewise.
  fin_again_ack,   // From TIME-WAIT, for the peer's FIN that came again.
  echo_reply,      // To a ping.
};
inline constexpr int answer_count = 6;

// The layer below, as far as TCP sees it (RFC 9293 §3.9.2).
class Below {
 public:
  virtual ~Below() = default;
  // Takes a packet that starts with the TCP header, room for IP's in front of it.
  virtual void output(Packet packet, const Outgoing& how) = 0;
  // Brings what is known of the way to this peer up to date; true: it has changed.
  virtual bool refresh(Path& path, const Address& remote) = 0;
  // Whether output() on this path would be taken now.
  [[nodiscard]] virtual bool ready(const Path& path) = 0;
  // R1: retransmissions go unanswered; another route may serve (MUST-20).
  virtual void negative_advice(const Address& remote) = 0;
  // Whether such an answer to this flow's peer may leave now; it is counted if it may not.
  [[nodiscard]] virtual bool may_answer(const Flow& flow, Answer kind) = 0;
};

// The connections' view of their stack; one object a stack, `now` set at each call from above.
struct Env {
  const Config& config;
  const Secrets& secrets;
  PacketPool& pool;
  EventLog& log;
  Memory& memory;
  Below& below;
  TimerWheel& timers;
  Instant now{};
  Fifo<std::uint32_t> owing;   // Connections that owe a transmission, by index.
  Fifo<std::uint32_t> noting;  // Connections with something to tell the program.
  Fifo<std::uint32_t> ended;   // Connections to look at again: CLOSED, or TIME-WAIT.
};

}  // namespace estab::tcp
