// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/half_open.hpp"

#include <algorithm>

#include "estab/tcp/isn.hpp"

namespace estab::tcp {

std::uint16_t mss_for_mtu(std::uint32_t mtu, const Address& peer) {
  const std::uint32_t headers = std::uint32_t(wire::ip_header_size(peer) + wire::tcp_header_size);
  return std::uint16_t(std::clamp<std::uint32_t>(mtu - std::min(mtu, headers), 48, 65535));
}

std::uint16_t default_mss(const Address& peer) { return peer.is_v4() ? 536 : 1220; }

std::uint16_t first_window(std::uint32_t receive_buffer, std::uint32_t mss) {
  const std::uint32_t most = std::min(receive_buffer, 65535u);
  return std::uint16_t(most > mss ? most - most % mss : most);
}

std::uint8_t scale_for(const Config& config, const Options& options, bool timestamps) {
  const bool grows = !options.fixed_receive_buffer && timestamps &&
                     options.receive_buffer > config.first_receive_buffer;
  const std::uint32_t largest =
      grows ? std::max(options.receive_buffer, config.scale_for_buffer) : options.receive_buffer;
  std::uint8_t shift = 0;
  while (shift < 14 && (largest >> shift) > 65535) ++shift;
  return shift;
}

std::uint32_t first_receive_limit(const Config& config, const Options& options) {
  if (options.fixed_receive_buffer) return options.receive_buffer;
  return std::min(options.receive_buffer, config.first_receive_buffer);
}

void take_syn(HalfOpen& record, const Config& config, const Segment& syn) {
  record.flow = syn.flow;
  record.irs = syn.seq;
  record.mss = syn.options.mss.value_or(default_mss(syn.flow.remote.address));
  record.has_sack = config.sack && syn.options.sack_permitted;
  record.has_scale = config.window_scaling && syn.options.window_scale;
  record.scale = record.has_scale ? std::min<std::uint8_t>(*syn.options.window_scale, 14) : 0;
  record.has_timestamps = config.timestamps && syn.options.timestamps;
  record.ts_recent = record.has_timestamps ? syn.options.timestamps->value : 0;
}

void take_cookie(HalfOpen& record, const CookieOptions& agreed, const Segment& ack) {
  record.flow = ack.flow;
  record.irs = ack.seq - 1;
  record.iss = ack.ack - 1;
  record.mss = agreed.mss;
  record.has_sack = agreed.sack;
  record.has_scale = agreed.scale.has_value();
  record.scale = agreed.scale.value_or(0);
  record.has_timestamps = agreed.timestamps;
  if (agreed.timestamps) {
    record.ts_recent = ack.options.timestamps->value;
    record.ts_value = ack.options.timestamps->echo;
  }
  record.by_cookie = true;
}

CookieOptions cookie_options(const HalfOpen& record) {
  CookieOptions options{.mss = record.mss, .scale = {}, .timestamps = record.has_timestamps};
  if (!record.has_timestamps) return options;
  if (record.has_scale) options.scale = record.scale;
  options.sack = record.has_sack;
  return options;
}

Offer offer_to(Env& env, const HalfOpen& record, const Options& options) {
  const Address& peer = record.flow.remote.address;
  Path path;
  (void)env.below.refresh(path, peer);
  Offer offer{.mss = mss_for_mtu(path.interface_mtu, peer)};
  offer.window = first_window(options.receive_buffer, offer.mss - (record.has_timestamps ? 12 : 0));
  if (record.has_scale) offer.scale = scale_for(env.config, options, record.has_timestamps);
  return offer;
}

std::uint32_t half_open_clock(const HalfOpen& record, Instant now) {
  const std::uint32_t elapsed = timestamp_at(now) - timestamp_at(record.opened);
  return record.ts_value + elapsed / SynCookies::clock_tick * SynCookies::clock_tick;
}

wire::TcpHeader half_open_ack(Env& env, const HalfOpen& record, const Options& options) {
  wire::TcpHeader h{.seq = record.iss + 1, .ack = record.irs + 1, .flags = {.ack = true}};
  const Offer offer = offer_to(env, record, options);
  h.window = std::uint16_t(offer.window >> offer.scale);
  if (record.has_timestamps)
    h.options.timestamps = {half_open_clock(record, env.now), record.ts_recent};
  return h;
}

void send_syn_ack(Env& env, const HalfOpen& record, const Options& options, Reason why) {
  Packet packet = env.pool.allocate_gather();
  if (!packet) return env.log.counters().count(Reason::no_memory);
  const Offer offer = offer_to(env, record, options);
  wire::TcpHeader h{.source = record.flow.local.port,
                    .destination = record.flow.remote.port,
                    .seq = record.iss,
                    .ack = record.irs + 1,
                    .flags = {.syn = true, .ack = true},
                    .window = offer.window,
                    .urgent = 0,
                    .options = {}};
  h.options.mss = offer.mss;
  h.options.sack_permitted = record.has_sack;
  if (record.has_scale) h.options.window_scale = offer.scale;
  if (record.has_timestamps)
    h.options.timestamps = {half_open_clock(record, env.now), record.ts_recent};
  wire::emit_tcp(h, packet.push_front(wire::tcp_size(h)));
  env.below.output(std::move(packet), {.flow = record.flow,
                                       .hop_limit = options.hop_limit,
                                       .dscp = options.dscp,
                                       .before = State::syn_received,
                                       .after = State::syn_received,
                                       .reason = why});
}

Duration syn_ack_interval(const Config& config, unsigned retransmissions) {
  return config.initial_rto * (1 << std::min(retransmissions, 6u));
}

Duration half_open_life(const Config& config) {
  Duration life{};
  for (unsigned n = 0; n <= config.syn_ack_retransmissions; ++n)
    life += syn_ack_interval(config, n);
  return life;
}

HalfOpenOutcome segment_arrives(const Config& config, const HalfOpen& record, const Segment& seg,
                                std::uint32_t window) {
  using enum HalfOpenVerdict;
  const Seq next = record.irs + 1;
  if (seg.flags.syn && !seg.flags.ack && !seg.flags.rst && seg.seq == record.irs)
    return {answer, Reason::none};  // Our SYN-ACK was lost, or is slow.
  // RFC 7323 §5.3, before the first check; a RST is exempt.
  if (record.has_timestamps && !seg.flags.rst) {
    if (!seg.options.timestamps) {
      if (config.require_timestamps && !seg.flags.syn) return {drop, Reason::timestamp_missing};
    } else if (std::int32_t(seg.options.timestamps->value - record.ts_recent) < 0) {
      return {acknowledge, Reason::paws};
    }
  }
  // First, check sequence number.
  const auto in_window = [&](Seq s) { return next <= s && s < next + window; };
  const std::uint32_t len = seg.len();
  if (!in_window(seg.seq) && !(len > 0 && in_window(seg.seq + (len - 1))))
    return seg.flags.rst ? HalfOpenOutcome{drop, Reason::rst_out_of_window}
                         : HalfOpenOutcome{acknowledge, Reason::out_of_window};
  // Second, check the RST bit: only the exact RCV.NXT resets (RFC 5961 §3.2).
  if (seg.flags.rst)
    return seg.seq == next ? HalfOpenOutcome{back_to_listen, Reason::back_to_listen}
                           : HalfOpenOutcome{acknowledge, Reason::rst_challenged};
  // Fourth, check the SYN bit: a passive open returns to LISTEN.
  if (seg.flags.syn) return {back_to_listen, Reason::syn_again};
  // Fifth, check the ACK field.
  if (!seg.flags.ack) return {drop, Reason::no_ack};
  if (seg.ack != record.iss + 1) return {reset, Reason::syn_received_ack};
  return {established, Reason::handshake_done};
}

}  // namespace estab::tcp
