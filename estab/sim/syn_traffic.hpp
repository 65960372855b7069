// SPDX-License-Identifier: Apache-2.0
// What a listener sees of many clients, as observations of handshakes and not as packets: a crowd
// of clients, a flood, a scan, on lossy paths, before a server with queues and limits of its own.
// Everything follows from the scenario and one seed. The server defends itself: where its half-open
// queue is full it answers statelessly, and such a handshake can still complete.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "estab/observe/flood_verdict.hpp"
#include "estab/observe/handshake.hpp"

namespace estab::sim {

// How a client behaves; probabilities are 0 to 1.
struct ClientModel {
  Milliseconds rtt{80};     // The median of a lognormal ...
  double rtt_spread = 0.5;  // ... and the deviation of its logarithm.
  double loss = 0.005;      // Of each packet, each way ...
  double syn_ack_loss = 0;  // ... and beside that of each SYN-ACK.
  double abandon = 0.03;    // Never answers the SYN-ACK.
  double reset = 0;         // Answers it with a reset.
  double silent = 0.02;     // Completes and sends no text.
  Milliseconds think{20};   // The mean of the time between the handshake and the text.
  unsigned attempts = 4;    // SYNs that it sends, after 0, 1, 3 and 7 s, until it is answered ...
  bool persistent = false;  // ... or even then.
};

// Whose addresses.
struct SourcePool {
  enum class Kind : std::uint8_t {
    population,  // People: prefixes that are drawn by Zipf's law, and strangers.
    anywhere,    // Any unicast address.
    hosts,       // A fixed set of hosts.
    inside,      // Any address of one prefix.
  };
  Kind kind = Kind::population;
  std::uint64_t salt = 0;    // Other people, other hosts.
  unsigned count = 4000;     // Prefixes of a population; hosts.
  unsigned per_prefix = 40;  // Hosts in a prefix of a population.
  double exponent = 0.9;     // Zipf's; not 1.
  double strangers = 0.1;    // From prefixes that hardly ever came before.
  double v6 = 0;
  Prefix prefix;
};

// Clients of one kind, arriving as a Poisson process.
struct ClientStream {
  double rate = 100;  // A second.
  Milliseconds from{0}, until{Milliseconds::max()};
  Milliseconds ramp{0};              // Rises to its rate in this time.
  Milliseconds period{0}, pulse{0};  // If set: comes for `pulse` at the start of each `period`.
  ClientModel model;
  SourcePool sources;
};

struct ServerModel {
  std::uint32_t half_open_limit = 1024;
  Milliseconds half_open_timeout{31'000};
  std::uint32_t accept_limit = 512;
  double accept_rate = 20'000;  // Connections a second that the application takes ...
  double slow_rate = 20'000;    // ... and between these:
  Milliseconds slow_from{0}, slow_until{0};
};

// Packets of some clients do not arrive.
struct Outage {
  Milliseconds from{0}, until{0};
  double share = 1;  // Of the clients' prefixes.
  bool inbound = false, outbound = true;
};

struct SynScenario {
  std::string name;
  std::vector<ClientStream> streams;
  ServerModel server;
  std::vector<Outage> outages;
  Milliseconds event_from{90'000}, event_until{150'000}, length{200'000};
  // What is to be said of the event; quiet: nothing that is an alarm.
  observe::Verdict expected = observe::Verdict::quiet;
  // Whether the bound holds for it: named within 12 s of its beginning, by every seed.
  bool bounded = true;
};

// Takes what the listener sees, in the order of time.
class SynTrafficSink {
 public:
  virtual ~SynTrafficSink() = default;
  virtual void handshake(const observe::HandshakeObservation& observation) = 0;
  virtual void gauges(const observe::HandshakeGauges& gauges) = 0;
};

// The listener of every scenario.
inline constexpr Endpoint syn_traffic_listener{Address::v4(192, 0, 2, 80), Port{80}};

void run_syn_traffic(const SynScenario& scenario, std::uint64_t seed, SynTrafficSink& sink);

}  // namespace estab::sim
