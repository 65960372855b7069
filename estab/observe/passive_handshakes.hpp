// SPDX-License-Identifier: Apache-2.0
// Packets that pass by, on an interface or in a capture, as steps of handshakes. Who the server is
// follows from SYN and SYN-ACK.
//   - Where both directions are seen, a completion is proven: its ACK acknowledges the server's SYN
//     and stands behind the client's. Where no SYN-ACK ever came it is taken for what it seems.
//   - Bounded in any flood: a fixed table under a keyed hash, in which the oldest gives way.
//   - Same packets and key in, same steps out. Not thread-safe; no allocation per packet.
#pragma once
#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/base/seq.hpp"
#include "estab/base/siphash.hpp"
#include "estab/observe/handshake.hpp"
#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::observe {

// Why a packet told nothing.
enum class PassedOver : std::uint8_t {
  not_ip,
  not_tcp,
  cut_short,     // Less was kept, or sent, than its headers take.
  fragment,      // Not put together.
  malformed,     // A header that contradicts itself.
  ip_checksum,   // A wrong checksum of the IPv4 header ...
  tcp_checksum,  // ... or of the segment, where all of it is there.
};
inline constexpr std::size_t passed_over_count = 7;
[[nodiscard]] std::string_view to_string(PassedOver why);  // "no TCP", "fragments".

struct PassiveCounts {
  std::uint64_t packets = 0;
  std::array<std::uint64_t, passed_over_count> passed_over{};
  std::uint64_t syns = 0, syn_acks = 0;  // With repetitions and copies.
  std::uint64_t copies = 0;     // The same SYN within copy_time: seen at two places of its way.
  std::uint64_t forgotten = 0;  // Handshakes that gave way before they came to an end.
};
// "12 no TCP, 3 fragments"; empty where nothing was passed over.
[[nodiscard]] std::string passed_over_in_words(const PassiveCounts& counts);

struct PassiveHandshakesConfig {
  std::size_t flows = 131'072;  // Remembered, of 96 octets; a power of two, at least 8.
  Duration keep = 64s;          // An older one is over (Linux waits 63 s for the final ACK).
  Duration copy_time = 100ms;   // No client repeats a SYN so soon (RFC 6298 §2: 1 s).
};

class PassiveHandshakes {
 public:
  using Sink = std::function<void(const HandshakeObservation&)>;
  // `key`: secret, where somebody might aim at the table.
  PassiveHandshakes(const HashKey& key, Sink sink, const PassiveHandshakesConfig& config = {});

  // An IP datagram of `size` octets, of which `kept` are here. A time that is before the last one
  // counts as that.
  void packet(Instant at, Bytes kept, std::size_t size);
  // One that is no IP, or of which too little is here.
  void pass_over(PassedOver why);

  // A SYN-ACK came that answers a SYN: both directions are seen.
  [[nodiscard]] bool both_directions() const { return both_directions_; }
  [[nodiscard]] const PassiveCounts& counts() const { return counts_; }

 private:
  struct Entry {
    Flow flow;         // Seen from the server.
    Instant syn_at{};  // Of its first SYN.
    Seq client_isn, server_isn;
    bool used : 1 = false;
    bool answered : 1 = false;
    bool completed : 1 = false;
    bool over : 1 = false;  // Nothing more is to be told of it.
  };
  struct Segment {
    Flow flow;  // From its sender.
    wire::TcpHeader tcp;
    std::uint32_t text = 0;
  };
  static constexpr std::size_t ways = 8;

  void segment(const Segment& s);
  void client_syn(const Segment& s);
  void server_syn_ack(const Segment& s);
  void from_client(Entry& entry, const Segment& s);
  void client_ack(Entry& entry, const Segment& s);
  void tell(HandshakeStep step, const Flow& flow);
  [[nodiscard]] std::span<Entry> bucket(const Flow& flow);
  [[nodiscard]] Entry* find(const Flow& flow);
  Entry& place_for(const Flow& flow);

  HashKey key_;
  Sink sink_;
  PassiveHandshakesConfig config_;
  std::vector<Entry> entries_;
  Instant now_{};
  bool both_directions_ = false;
  PassiveCounts counts_;
};

}  // namespace estab::observe
