// SPDX-License-Identifier: Apache-2.0
// IP as a host needs it: interfaces and their addresses, routes, path MTU, and which datagrams
// are for us.
#pragma once
#include <expected>
#include <map>
#include <optional>
#include <vector>

#include "estab/base/packet.hpp"
#include "estab/base/time.hpp"
#include "estab/wire/ip.hpp"

namespace estab::ip {

struct InterfaceConfig {
  std::vector<Prefix> addresses;  // Ours, with their networks.
  // Octets of the largest IP datagram. More than 65535 counts as 65535, the most that IP can say.
  // On less than 1280 there is no IPv6 (RFC 8200 §5), and on less than 88, a TCP header with all
  // options and 8 octets, no IPv4: the addresses of that family are left out, so listen() finds
  // them not available and connect() no route (as Linux turns the protocol off).
  std::uint32_t mtu = 1500;
  std::uint32_t largest_segment = 65535;  // Octets of the largest super-segment that the device
                                          // takes (it may cut it itself); at most mtu: none. More
                                          // than 65535 counts as 65535.
  bool transmit_checksum = false;         // The device finishes TCP checksums.
  bool any_address = false;               // Take packets for every address (a gateway).
};

struct Route {
  Prefix destination;
  std::uint8_t interface = 0;
};

class Layer {
 public:
  // Interfaces are numbered from 0; the networks of their addresses become routes. interface()
  // tells what came of the MTU and the addresses.
  std::uint8_t add_interface(const InterfaceConfig& config);
  void add_route(const Route& route);
  [[nodiscard]] std::size_t interfaces() const { return interfaces_.size(); }
  [[nodiscard]] const InterfaceConfig& interface(std::uint8_t n) const { return interfaces_[n]; }

  // Judges an arriving datagram: for us, from a source that may be another host's (MUST-57,
  // MUST-63). Cuts link padding off the packet; the header stays.
  [[nodiscard]] std::expected<wire::IpHeader, Reason> accept(Packet& packet) const;

  // The way to a destination: the longest prefix decides.
  [[nodiscard]] std::optional<std::uint8_t> route(const Address& destination) const;
  // Our address on the way there, of its family (MUST-44).
  [[nodiscard]] std::optional<Address> source_for(const Address& destination) const;
  [[nodiscard]] bool is_ours(const Address& a) const;
  // Whether it is never the address of one host on a wire (MUST-46; RFC 1122 §3.2.1.3, RFC 4291
  // §2.5): multicast, broadcast, loopback, IPv4's 0/8 and 240/4, IPv6's ::/96. Link-local addresses
  // may be a neighbour's.
  [[nodiscard]] bool is_no_host(const Address& a) const;

  // Changes whenever route() or path_mtu() may answer otherwise than before; never 0.
  [[nodiscard]] std::uint32_t generation(Instant now);
  struct PathMtu {
    std::uint32_t mtu;  // Octets of the largest datagram to send there.
    bool fragment;      // IPv4: a router carries less still, and is to fragment it.
  };
  // Learnt values are forgotten after ten minutes (RFC 1191 §6.3): generation() tells.
  [[nodiscard]] PathMtu path_mtu(const Address& destination) const;
  // "Packet too big": 0 as `mtu` stands for a router that does not say (RFC 1191 §7). IPv4 is never
  // sent less than 552 octets a datagram for it, as in Linux: below that routers are to fragment.
  // What is no IPv6 MTU is discarded (RFC 8201 §4). False: nothing new was learnt.
  bool lower_path_mtu(const Address& destination, std::uint32_t mtu, Instant now);
  // The identification of a datagram that may be fragmented, counted by destination (RFC 6864
  // §4.3).
  [[nodiscard]] std::uint16_t next_identification(const Address& destination);
  // MUST-20: TCP gets no answer from there; what was learnt of the path may be the trouble.
  void forget_path(const Address& destination);

 private:
  void changed() { generation_ += generation_ == ~0u ? 2 : 1; }
  [[nodiscard]] bool carries(std::uint8_t interface, bool v4) const;

  struct LearntMtu {
    std::uint32_t mtu;
    bool fragment;
    Instant until;
    std::uint16_t identification = 0;
  };
  static constexpr std::size_t learnt_limit = 1024;
  std::vector<InterfaceConfig> interfaces_;
  std::vector<Route> routes_;        // Longest prefix first.
  std::vector<Address> ours_;        // Of all interfaces, sorted.
  std::vector<Prefix> networks_;     // Theirs, each once ...
  std::vector<Address> broadcasts_;  // ... and their directed broadcast addresses.
  std::map<Address, LearntMtu> learnt_;
  Instant forgets_at_ = never;  // None of them is too old before.
  std::uint32_t generation_ = 1;
};

}  // namespace estab::ip
