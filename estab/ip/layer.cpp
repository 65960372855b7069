// SPDX-License-Identifier: Apache-2.0
#include "estab/ip/layer.hpp"

#include <algorithm>

#include "estab/wire/tcp.hpp"

namespace estab::ip {

namespace {

constexpr std::uint32_t largest_datagram = 65535;
constexpr std::uint32_t smallest_mtu_v4 = wire::ipv4_header_size + wire::tcp_largest_header + 8;
constexpr std::uint32_t smallest_mtu_v6 = 1280;
// A super-segment is worth it, and leaves room for headers, from this size on.
constexpr std::uint32_t smallest_super_segment = 1024;

// 0/8, 240/4 and ::/96 (RFC 1122 §3.2.1.3, RFC 1112 §4, RFC 4291 §2.5.5.1).
bool is_reserved(const Address& a) {
  if (!a.is_v4()) return a.prefix(96) == Address{};
  const std::uint32_t first = a.to_v4() >> 24;
  return first == 0 || first >= 240;
}

}  // namespace

std::uint8_t Layer::add_interface(const InterfaceConfig& wanted) {
  const auto number = std::uint8_t(interfaces_.size());
  changed();
  InterfaceConfig& config = interfaces_.emplace_back(wanted);
  config.mtu = std::min(config.mtu, largest_datagram);
  config.largest_segment = std::min(config.largest_segment, largest_datagram);
  if (config.largest_segment < smallest_super_segment) config.largest_segment = 0;
  std::erase_if(config.addresses,
                [&](const Prefix& p) { return !carries(number, p.address.is_v4()); });
  for (const auto& [address, length] : config.addresses) {
    ours_.insert(std::ranges::lower_bound(ours_, address), address);
    const Prefix network{address.prefix(length), length};
    if (std::ranges::find(networks_, network) != networks_.end()) continue;
    networks_.push_back(network);
    if (const auto broadcast = network.directed_broadcast()) broadcasts_.push_back(*broadcast);
    add_route({network, number});
  }
  return number;
}

void Layer::add_route(const Route& route) {
  const auto shorter = std::ranges::find_if(
      routes_, [&](const Route& r) { return r.destination.length < route.destination.length; });
  routes_.insert(shorter, route);
  changed();
}

std::expected<wire::IpHeader, Reason> Layer::accept(Packet& packet) const {
  auto header = wire::parse_ip(packet.linear(), packet.size());
  if (!header) return header;
  packet.truncate(header->total_length);
  const InterfaceConfig& in = interfaces_[packet.interface()];
  if (is_no_host(header->destination)) return std::unexpected(Reason::ip_destination_invalid);
  if (!carries(packet.interface(), header->is_v4()) ||
      (!in.any_address && !is_ours(header->destination)))
    return std::unexpected(Reason::ip_not_for_us);
  const Address& source = header->source;
  if (is_no_host(source)) return std::unexpected(Reason::ip_source_invalid);
  if (is_ours(source) || source == header->destination) return std::unexpected(Reason::ip_land);
  return header;
}

bool Layer::carries(std::uint8_t interface, bool v4) const {
  return interfaces_[interface].mtu >= (v4 ? smallest_mtu_v4 : smallest_mtu_v6);
}

std::optional<std::uint8_t> Layer::route(const Address& destination) const {
  for (const auto& r : routes_)
    if (r.destination.contains(destination) && carries(r.interface, destination.is_v4()))
      return r.interface;
  return std::nullopt;
}

std::optional<Address> Layer::source_for(const Address& destination) const {
  const auto out = route(destination);
  if (!out) return std::nullopt;
  const auto& addresses = interfaces_[*out].addresses;
  const auto same_family = [&](const Prefix& p) {
    return p.address.is_v4() == destination.is_v4();
  };
  for (const auto& p : addresses)
    if (p.contains(destination)) return p.address;
  const auto any = std::ranges::find_if(addresses, same_family);
  return any != addresses.end() ? std::optional(any->address) : std::nullopt;
}

bool Layer::is_ours(const Address& a) const { return std::ranges::binary_search(ours_, a); }

bool Layer::is_no_host(const Address& a) const {
  if (is_reserved(a) || a.is_loopback() || a.is_multicast()) return true;
  return std::ranges::find(broadcasts_, a) != broadcasts_.end();
}

std::uint32_t Layer::generation(Instant now) {
  if (now < forgets_at_) return generation_;
  std::erase_if(learnt_, [&](const auto& entry) { return entry.second.until <= now; });
  forgets_at_ = never;
  for (const auto& [destination, learnt] : learnt_)
    forgets_at_ = std::min(forgets_at_, learnt.until);
  changed();
  return generation_;
}

Layer::PathMtu Layer::path_mtu(const Address& destination) const {
  const auto out = route(destination);
  const std::uint32_t mtu = out ? interfaces_[*out].mtu : 1500;
  const auto known = learnt_.find(destination);
  if (known == learnt_.end() || mtu < known->second.mtu) return {mtu, false};
  return {known->second.mtu, known->second.fragment};
}

bool Layer::lower_path_mtu(const Address& destination, std::uint32_t mtu, Instant now) {
  constexpr std::uint32_t smallest_v4 = 552, smallest_v6 = 1280;
  if (!destination.is_v4() && mtu < smallest_v6) return false;
  const PathMtu before = path_mtu(destination);
  if (mtu == 0) {
    constexpr std::uint32_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 552, 296};
    mtu = *std::ranges::find_if(plateaus,
                                [&](std::uint32_t p) { return p < before.mtu || p == 296; });
  }
  const bool fragment = mtu < smallest_v4;
  if (fragment) mtu = smallest_v4;
  if (mtu > before.mtu || (mtu == before.mtu && fragment <= before.fragment)) return false;
  if (learnt_.size() >= learnt_limit && !learnt_.contains(destination)) {
    (void)generation(now);
    if (learnt_.size() >= learnt_limit) learnt_.erase(learnt_.begin());
  }
  LearntMtu& learnt = learnt_[destination];
  learnt.mtu = mtu;
  learnt.fragment = fragment;
  learnt.until = now + 10min;
  forgets_at_ = std::min(forgets_at_, learnt.until);
  changed();
  return true;
}

std::uint16_t Layer::next_identification(const Address& destination) {
  const auto known = learnt_.find(destination);
  return known == learnt_.end() ? std::uint16_t{0} : known->second.identification++;
}

void Layer::forget_path(const Address& destination) {
  if (learnt_.erase(destination) > 0) changed();
}

}  // namespace estab::ip
