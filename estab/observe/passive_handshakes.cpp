// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/passive_handshakes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <optional>
#include <utility>

namespace estab::observe {
namespace {

constexpr std::size_t largest_ipv4_header = 60, ipv4_length_at = 2, ipv4_checksum_at = 10;

PassedOver why_of(Reason reason) {
  switch (reason) {
    case Reason::ip_short:
    case Reason::tcp_short:   return PassedOver::cut_short;
    case Reason::ip_fragment: return PassedOver::fragment;
    case Reason::ip_checksum: return PassedOver::ip_checksum;
    default:                  return PassedOver::malformed;
  }
}

// A sending host's capture shows what its network card was to fill in: an IPv4 checksum of 0, and
// of a super-segment a length of 0.
std::expected<wire::IpHeader, Reason> parse_ip(Bytes kept, std::size_t size) {
  auto header = wire::parse_ip(kept, size);
  if (header || kept.size() < wire::ipv4_header_size || std::uint8_t(kept[0]) >> 4 != 4)
    return header;
  const bool no_length = load_be<std::uint16_t>(&kept[ipv4_length_at]) == 0;
  if (!no_length && load_be<std::uint16_t>(&kept[ipv4_checksum_at]) != 0) return header;
  const std::size_t length = (std::uint8_t(kept[0]) & 0xf) * 4u;
  if (length < wire::ipv4_header_size || length > kept.size()) return header;
  std::array<std::byte, largest_ipv4_header> patched{};
  std::copy_n(kept.begin(), length, patched.begin());
  if (no_length)
    store_be(&patched[ipv4_length_at], std::uint16_t(std::min<std::size_t>(size, 0xffff)));
  store_be(&patched[ipv4_checksum_at], std::uint16_t{0});
  const MutableBytes whole{patched.data(), length};
  store_be(&patched[ipv4_checksum_at], Checksum{}.add(whole).value());
  return wire::parse_ip(whole, size);
}

// Where options were cut off, the header without them.
std::expected<wire::ParsedTcp, Reason> parse_tcp(Bytes kept, bool cut) {
  auto parsed = wire::parse_tcp(kept);
  if (parsed || !cut || kept.size() < wire::tcp_header_size) return parsed;
  const std::size_t length = (std::uint8_t(kept[12]) >> 4) * 4u;
  if (length <= kept.size()) return parsed;
  std::array<std::byte, wire::tcp_header_size> fixed{};
  std::copy_n(kept.begin(), fixed.size(), fixed.begin());
  fixed[12] = std::byte{wire::tcp_header_size / 4 << 4};
  parsed = wire::parse_tcp(fixed);
  if (parsed) parsed->length = length;
  return parsed;
}

// Whether it is right, or was left to the network card: then it holds the pseudo-header's sum, for
// all of the payload, or of a super-segment without its length.
bool checksum_holds(const wire::IpHeader& ip, Bytes segment) {
  const auto length = std::uint32_t(segment.size());
  auto sum = wire::pseudo_header(ip.source, ip.destination, ip.protocol, length);
  const auto unfinished = sum.sum();
  if (sum.add(segment).value() == 0) return true;
  const auto field = load_be<std::uint16_t>(&segment[wire::tcp_checksum_offset]);
  return field == unfinished ||
         field == wire::pseudo_header(ip.source, ip.destination, ip.protocol, 0).sum();
}

}  // namespace

std::string_view to_string(PassedOver why) {
  switch (why) {
    case PassedOver::not_ip:       return "no IP";
    case PassedOver::not_tcp:      return "no TCP";
    case PassedOver::cut_short:    return "cut short within the headers";
    case PassedOver::fragment:     return "fragments";
    case PassedOver::malformed:    return "malformed";
    case PassedOver::ip_checksum:  return "wrong in the IP checksum";
    case PassedOver::tcp_checksum: return "wrong in the TCP checksum";
  }
  std::unreachable();
}

std::string passed_over_in_words(const PassiveCounts& counts) {
  std::string text;
  for (std::size_t i = 0; i < passed_over_count; ++i)
    if (counts.passed_over[i] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts.passed_over[i],
                          to_string(PassedOver(i)));
  return text;
}

PassiveHandshakes::PassiveHandshakes(const HashKey& key, Sink sink,
                                     const PassiveHandshakesConfig& config)
    : key_(key), sink_(std::move(sink)), config_(config), entries_(config.flows) {
  assert(std::has_single_bit(config.flows) && config.flows >= ways);
}

void PassiveHandshakes::pass_over(PassedOver why) {
  ++counts_.packets;
  ++counts_.passed_over[std::size_t(why)];
}

void PassiveHandshakes::packet(Instant at, Bytes kept, std::size_t size) {
  now_ = std::max(now_, at);
  const auto ip = parse_ip(kept, size);
  if (!ip) return pass_over(why_of(ip.error()));
  if (ip->protocol != wire::Protocol::tcp) return pass_over(PassedOver::not_tcp);
  if (kept.size() < ip->header_length) return pass_over(PassedOver::cut_short);
  const auto here = std::min<std::size_t>(kept.size(), ip->total_length) - ip->header_length;
  const auto bytes = kept.subspan(ip->header_length, here);
  const bool cut = here < ip->payload_length();
  const auto parsed = parse_tcp(bytes, cut);
  if (!parsed) return pass_over(cut ? PassedOver::cut_short : why_of(parsed.error()));
  if (parsed->length > ip->payload_length()) return pass_over(PassedOver::malformed);
  if (!cut && !checksum_holds(*ip, bytes)) return pass_over(PassedOver::tcp_checksum);
  ++counts_.packets;
  const auto& tcp = parsed->header;
  segment({.flow = {{ip->source, tcp.source}, {ip->destination, tcp.destination}},
           .tcp = tcp,
           .text = std::uint32_t(ip->payload_length() - parsed->length)});
}

void PassiveHandshakes::tell(HandshakeStep step, const Flow& flow) { sink_({now_, step, flow}); }

void PassiveHandshakes::segment(const Segment& s) {
  const auto& flags = s.tcp.flags;
  if (flags.syn && !flags.rst && !flags.fin) return flags.ack ? server_syn_ack(s) : client_syn(s);
  if (flags.syn) return;
  if (auto* entry = find(s.flow.reversed())) from_client(*entry, s);
}

// A SYN of another sequence number is another connection's.
void PassiveHandshakes::client_syn(const Segment& s) {
  ++counts_.syns;
  const auto flow = s.flow.reversed();
  auto* entry = find(flow);
  if (entry && entry->client_isn == s.tcp.seq && now_ - entry->syn_at < config_.copy_time) {
    ++counts_.copies;
    return;
  }
  if (!entry || entry->client_isn != s.tcp.seq) {
    if (!entry) entry = &place_for(flow);
    *entry = {.flow = flow, .syn_at = now_, .client_isn = s.tcp.seq, .server_isn = {}};
    entry->used = true;
  }
  if (!entry->completed) tell(HandshakeStep::syn, flow);
}

// The way from the server may be seen a moment before the way to it, or alone: nothing is known of
// a handshake whose SYN did not come by.
void PassiveHandshakes::server_syn_ack(const Segment& s) {
  ++counts_.syn_acks;
  auto* entry = find(s.flow);
  if (entry == nullptr || entry->over || s.tcp.ack != entry->client_isn + 1u) return;
  both_directions_ = true;
  entry->server_isn = s.tcp.seq;
  entry->answered = true;
  tell(HandshakeStep::syn_ack, entry->flow);
}

void PassiveHandshakes::from_client(Entry& entry, const Segment& s) {
  if (entry.over) return;
  const auto next = entry.client_isn + 1u;
  if (s.tcp.flags.rst) {
    // After the handshake a reset is none of its steps.
    if (!entry.completed && s.tcp.seq != next) return;
    entry.over = true;
    if (!entry.completed) tell(HandshakeStep::client_reset, entry.flow);
    return;
  }
  if (s.tcp.flags.ack) client_ack(entry, s);
}

// The first text may come before the bare ACK, or in its place, but none may be missing before it
// for the ACK to be taken for the last of the handshake.
void PassiveHandshakes::client_ack(Entry& entry, const Segment& s) {
  const auto next = entry.client_isn + 1u;
  if (!entry.completed) {
    if (s.tcp.seq != next) return;
    const bool proven = entry.answered && s.tcp.ack == entry.server_isn + 1u;
    if (!proven && both_directions_) return;
    entry.completed = true;
    tell(HandshakeStep::completed, entry.flow);
  }
  if (s.text == 0) return;
  entry.over = true;
  tell(HandshakeStep::client_data, entry.flow);
}

std::span<PassiveHandshakes::Entry> PassiveHandshakes::bucket(const Flow& flow) {
  std::array<std::byte, 36> message;
  std::memcpy(message.data(), flow.remote.address.octets().data(), 16);
  std::memcpy(message.data() + 16, flow.local.address.octets().data(), 16);
  store_be(message.data() + 32, number(flow.remote.port));
  store_be(message.data() + 34, number(flow.local.port));
  const auto buckets = entries_.size() / ways;
  return std::span{entries_}.subspan((siphash(key_, message) & (buckets - 1)) * ways, ways);
}

PassiveHandshakes::Entry* PassiveHandshakes::find(const Flow& flow) {
  for (auto& entry : bucket(flow))
    if (entry.used && entry.flow == flow && now_ - entry.syn_at < config_.keep) return &entry;
  return nullptr;
}

PassiveHandshakes::Entry& PassiveHandshakes::place_for(const Flow& flow) {
  const auto places = bucket(flow);
  // Those first that nobody waits for.
  const auto worth = [this](const Entry& e) {
    const bool waits = e.used && !e.over && now_ - e.syn_at < config_.keep;
    return std::pair(waits, e.syn_at);
  };
  auto& oldest = *std::ranges::min_element(places, {}, worth);
  if (worth(oldest).first && !oldest.completed) ++counts_.forgotten;
  return oldest;
}

}  // namespace estab::observe
