// SPDX-License-Identifier: Apache-2.0
// The network's side of a conversation: segments in and out, and time.
#include "conversation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace estab::script {
namespace {

constexpr Secrets secrets{
    .initial_sequence = {1, 2}, .ports = {3, 4}, .timestamps = {5, 6}, .table = {7, 8}};
constexpr std::size_t longest_dialogue = 120;  // Entries that a failure prints.

Address local_address(bool v6) {
  return v6 ? *Address::parse("2001:db8::1") : Address::v4(192, 0, 2, 1);
}
Address peer_address(bool v6) {
  return v6 ? *Address::parse("2001:db8::2") : Address::v4(192, 0, 2, 2);
}

StackConfig stack_config(const Scene& scene) { return {.tcp = scene.tcp}; }

InterfaceConfig interface(const Scene& scene) {
  return {.addresses = {*Prefix::parse("192.0.2.1/24"), *Prefix::parse("2001:db8::1/64")},
          .mtu = scene.mtu,
          .largest_segment = scene.mtu};
}

}  // namespace

tcp::Config plain() {
  tcp::Config config;
  config.timestamps = config.sack = config.window_scaling = false;
  config.defaults.fixed_send_buffer = true;
  return config;
}

tcp::Config full() {
  tcp::Config config;
  config.defaults.fixed_send_buffer = true;
  return config;
}

std::byte octet_at(std::uint32_t relative) { return std::byte((relative * 2654435761u) >> 24); }

Conversation::Conversation(const Scene& scene)
    : scene_(scene),
      pool_(scene.pool_limit),
      stack_(pool_, stack_config(scene), secrets),
      start_(Instant{} + 1000s),
      now_(start_) {
  stack_.add_interface(interface(scene));
  stack_.log().enable();
  on(peer_port);
}

Conversation::~Conversation() { settle(here()); }

// --- Lines ---------------------------------------------------------------------------------------

Conversation& Conversation::on(std::uint16_t peer, Where w) {
  return on(
      Flow{{local_address(scene_.v6), Port{local_port}}, {peer_address(scene_.v6), Port{peer}}}, w);
}

Conversation& Conversation::on(const Flow& flow, Where w) {
  settle(w);
  line_ = &line_of(flow);
  return *this;
}

Line& Conversation::line_of(const Flow& flow) {
  auto& line = lines_[{flow.local, flow.remote}];
  line.flow = flow;
  return line;
}

void Conversation::new_incarnation(std::uint32_t peer_iss) {
  const Flow flow = line_->flow;
  *line_ = Line{.flow = flow, .peer_iss = peer_iss};
}

Numbering Conversation::outgoing(const Line& line) const {
  return {line.iss.value_or(0), line.peer_iss, line.clock.value_or(0), 0};
}

Numbering Conversation::incoming(const Line& line) const {
  return {line.peer_iss, line.iss.value_or(0), 0, line.clock.value_or(0)};
}

// --- In ------------------------------------------------------------------------------------------

std::vector<std::byte> Conversation::wrap(wire::Protocol protocol, const Flow& flow,
                                          std::vector<std::byte> payload) const {
  const std::size_t header = wire::ip_header_size(flow.local.address);
  const wire::IpHeader ip{.source = flow.remote.address,
                          .destination = flow.local.address,
                          .protocol = protocol,
                          .header_length = std::uint16_t(header),
                          .total_length = std::uint32_t(header + payload.size())};
  payload.insert(payload.begin(), header, std::byte{});
  wire::emit_ip(ip, payload);
  return payload;
}

std::vector<std::byte> Conversation::build(std::string_view text) {
  const auto spec = parse_spec(text);
  const auto numbering = incoming(*line_);
  const auto options = encode_options(spec.options.value_or(std::vector<std::string>{}), numbering);
  const Flow& flow = line_->flow;
  const wire::TcpHeader header{
      .source = flow.remote.port,
      .destination = flow.local.port,
      .seq = Seq(numbering.sender_iss + spec.seq.value_or(0)),
      .ack = Seq(spec.flags & 16 ? numbering.receiver_iss + spec.ack.value_or(0) : 0),
      .flags = wire::Flags::from(spec.flags),
      .window = std::uint16_t(spec.window.value_or(65535)),
      .urgent = std::uint16_t(spec.urgent.value_or(0)),
      .options = {}};
  std::vector<std::byte> tcp(wire::tcp_header_size);
  wire::emit_tcp(header, tcp);
  tcp.insert(tcp.end(), options.begin(), options.end());
  tcp[12] = std::byte(tcp.size() / 4 << 4);
  for (std::uint32_t i = 0; i < spec.length.value_or(0); ++i)
    tcp.push_back(octet_at(spec.seq.value_or(0) + bool(spec.flags & 2) + i));
  auto sum = wire::pseudo_header(flow.remote.address, flow.local.address, wire::Protocol::tcp,
                                 std::uint32_t(tcp.size()));
  store_be(&tcp[wire::tcp_checksum_offset], sum.add(tcp).value());
  return wrap(wire::Protocol::tcp, flow, std::move(tcp));
}

void Conversation::peer(std::string_view spec, Where w) { peer_raw(build(spec), w); }

void Conversation::peer_batch(const std::vector<std::string>& specs, Where w) {
  settle(w);
  std::vector<std::vector<std::byte>> datagrams;
  for (const auto& spec : specs) datagrams.push_back(build(spec));
  deliver(std::move(datagrams));
}

void Conversation::peer_raw(std::vector<std::byte> datagram, Where w) {
  settle(w);
  deliver({std::move(datagram)});
}

void Conversation::deliver(std::vector<std::vector<std::byte>> datagrams) {
  if (failed_) return;
  std::vector<Packet> packets;
  for (const auto& datagram : datagrams) {
    auto packet = pool_.allocate(datagram.size());
    std::ranges::copy(datagram, packet.linear().begin());
    packets.push_back(std::move(packet));
  }
  stack_.receive(packets, now_);
  packets.clear();
  poll();
}

void Conversation::icmp(wire::IcmpMeaning meaning, std::uint32_t seq, std::uint32_t mtu, Where w) {
  settle(w);
  const bool v4 = line_->flow.local.address.is_v4();
  std::uint8_t type = v4 ? 3 : 1, code = v4 ? 1 : 0;
  switch (meaning) {
    case wire::IcmpMeaning::soft:           break;
    case wire::IcmpMeaning::hard:           code = v4 ? 3 : 4; break;
    case wire::IcmpMeaning::packet_too_big: type = v4 ? 3 : 2, code = v4 ? 4 : 0; break;
    case wire::IcmpMeaning::source_quench:  type = 4, code = 0; break;
  }
  std::vector<std::byte> tcp(8);
  store_be(&tcp[0], number(line_->flow.local.port));
  store_be(&tcp[2], number(line_->flow.remote.port));
  store_be(&tcp[4], line_->iss.value_or(0) + seq);
  const auto quote = wrap(wire::Protocol::tcp, line_->flow.reversed(), std::move(tcp));
  std::vector<std::byte> message(wire::icmp_header_size);
  message[0] = std::byte(type), message[1] = std::byte(code);
  store_be(&message[4], v4 ? mtu & 0xffff : mtu);  // RFC 1191 has it in the lower half.
  message.insert(message.end(), quote.begin(), quote.end());
  Checksum sum;
  if (!v4)
    sum = wire::pseudo_header(line_->flow.remote.address, line_->flow.local.address,
                              wire::Protocol::icmpv6, std::uint32_t(message.size()));
  store_be(&message[2], sum.add(message).value());
  taken_ = false;
  if (meaning == wire::IcmpMeaning::packet_too_big && mtu > 0)
    path_mtu_.erase(line_->flow.remote.address);
  deliver({wrap(v4 ? wire::Protocol::icmp : wire::Protocol::icmpv6, line_->flow, message)});
  // Sent again in the same moment, and smaller: the next datagrams are held to it.
  if (meaning == wire::IcmpMeaning::packet_too_big && mtu > 0 && taken_)
    path_mtu_[line_->flow.remote.address] = {mtu, now_ + 9min};  // RFC 1191 §6.3: ten minutes.
}

// --- Out -----------------------------------------------------------------------------------------

void Conversation::poll() {
  if (const auto wrong = stack_.audit(); !wrong.empty()) broken_ = wrong;
  if (!stack_.poll_transmit(wire_, now_)) broken_ = "poll_transmit says that the sink had enough";
  collect();
  break_by(sim::check_stack(stack_, now_));
}

void Conversation::break_by(const std::string& wrong) {
  if (broken_.empty()) broken_ = wrong;
}

void Conversation::collect() {
  stack_.log().drain([&](const Event& event, Bytes packet) {
    taken_ |= event.kind == EventKind::received;
    break_by(windows_.look_at(event, packet));
    if (event.kind == EventKind::sent) sent_reasons_.push_back(event.reason);
    dialogue_.push_back({event, {packet.begin(), packet.end()}, {}});
    if (dialogue_.size() > longest_dialogue) dialogue_.pop_front();
  });
  if (sent_reasons_.size() != wire_.packets.size())
    broken_ = fmt::format("{} packets left, and {} `sent` events tell of them",
                          wire_.packets.size(), sent_reasons_.size());
  for (; !wire_.packets.empty(); wire_.packets.pop_front()) {
    const Reason reason = sent_reasons_.empty() ? Reason::none : sent_reasons_.front();
    if (!sent_reasons_.empty()) sent_reasons_.pop_front();
    take_packet(std::move(wire_.packets.front()), reason);
  }
  sent_reasons_.clear();
  collect_notices();
}

void Conversation::take_packet(Packet packet, Reason reason) {
  std::vector<std::byte> datagram(packet.size());
  packet.copy_to(datagram);
  const auto ip = wire::parse_ip(datagram, datagram.size());
  if (!ip || ip->total_length != datagram.size())
    return void(broken_ = "a malformed datagram left");
  const auto path = path_mtu_.find(ip->destination);
  const bool learnt = path != path_mtu_.end() && now_ < path->second.until;
  break_by(sim::check_datagram(packet, scene_.mtu, learnt ? path->second.mtu : ~0u));
  last_ip_ = *ip;
  Sent sent{.at = now_,
            .flow = {{ip->source, {}}, {ip->destination, {}}},
            .reason = reason,
            .ip = *ip,
            .tcp = {}};
  if (ip->protocol == wire::Protocol::tcp) {
    sent.tcp.assign(datagram.begin() + ip->header_length, datagram.end());
    auto sum = wire::pseudo_header(ip->source, ip->destination, ip->protocol, ip->payload_length());
    if (sum.add(sent.tcp).value() != 0) broken_ = "a segment left with a wrong checksum (MUST-2)";
    sent.flow.local.port = Port{load_be<std::uint16_t>(&sent.tcp[0])};
    sent.flow.remote.port = Port{load_be<std::uint16_t>(&sent.tcp[2])};
    auto& line = line_of(sent.flow);
    const auto parsed = wire::parse_tcp(sent.tcp);
    if (!parsed) return void(broken_ = "a malformed TCP header left");
    if (parsed->header.flags.syn && !line.iss) line.iss = parsed->header.seq.raw();
    if (const auto& clock = parsed->header.options.timestamps; clock && !line.clock)
      line.clock = clock->value;
    check_text(read_segment(sent.tcp, outgoing(line)), Bytes{sent.tcp}.subspan(parsed->length),
               line);
  }
  sent_.push_back(std::move(sent));
}

void Conversation::check_text(const Segment& segment, Bytes text, const Line& line) {
  if (!scene_.check_text || !line.iss) return;
  const std::uint32_t first = segment.seq + bool(segment.flags & 2);
  for (std::uint32_t i = 0; i < text.size(); ++i)
    if (text[i] != octet_at(first + i)) {
      broken_ = fmt::format("octet {} left with another value than was sent", first + i);
      return;
    }
}

void Conversation::settle(Where w) {
  if (failed_) return;
  if (!broken_.empty()) return fail(broken_, w);
  if (sent_.empty()) return;
  const auto& sent = sent_.front();
  const auto words =
      sent.tcp.empty() ? "not TCP" : spell(read_segment(sent.tcp, outgoing(line_of(sent.flow))));
  fail(fmt::format("nobody expected this packet: {} ({})", words, text(sent.reason).name), w);
}

void Conversation::compare_next(std::string_view spec, std::optional<Reason> reason, Where w) {
  if (failed_) return;
  if (!broken_.empty()) return fail(broken_, w);
  if (sent_.empty()) return fail(fmt::format("expected {}: nothing left", spec), w);
  const auto sent = std::move(sent_.front());
  sent_.pop_front();
  if (sent.tcp.empty() || !(sent.flow == line_->flow))
    return fail(fmt::format("expected {}: another line's packet left", spec), w);
  const auto segment = read_segment(sent.tcp, outgoing(*line_));
  if (const auto wrong = difference(parse_spec(spec), segment); !wrong.empty())
    return fail(fmt::format("expected {}\n  left     {}:{}", spec, spell(segment), wrong), w);
  if (reason && sent.reason != *reason)
    fail(fmt::format("{} left for the reason {}, not {}", spec, text(sent.reason).name,
                     text(*reason).name),
         w);
  if (sent.at != now_) fail(fmt::format("{} left before", spec), w);
}

void Conversation::expect(std::string_view spec, Where w) { compare_next(spec, {}, w); }
void Conversation::expect(std::string_view spec, Reason reason, Where w) {
  compare_next(spec, reason, w);
}

void Conversation::expect_nothing(Where w) { settle(w); }

void Conversation::expect_between(Duration earliest, Duration latest, std::string_view spec,
                                  Where w) {
  if (failed_) return;
  const Instant from = now_;
  if (sent_.empty() && !advance(from + latest, true))
    return fail(fmt::format("expected {} within {} ms: nothing left", spec, latest / 1ms), w);
  if (now_ - from < earliest)
    return fail(fmt::format("expected {} after {} ms: something left after {} ms", spec,
                            earliest / 1ms, (now_ - from) / 1ms),
                w);
  compare_next(spec, {}, w);
}

void Conversation::expect_soon(std::string_view spec, Where w) {
  expect_between(0ms, 200ms, spec, w);
}

std::vector<Segment> Conversation::take_sent() {
  std::vector<Segment> segments;
  for (const auto& sent : sent_)
    if (!sent.tcp.empty()) segments.push_back(read_segment(sent.tcp, outgoing(line_of(sent.flow))));
  sent_.clear();
  return segments;
}

// --- Time ----------------------------------------------------------------------------------------

bool Conversation::advance(Instant to, bool stop_at_packet) {
  for (int idle = 0; stack_.next_deadline() <= to && broken_.empty();) {
    const Instant due = std::max(now_, stack_.next_deadline());
    idle = due == now_ ? idle + 1 : 0;
    if (idle > 100) broken_ = "next_deadline stands still: the stack asks to be called for ever";
    now_ = due;
    poll();
    if (stop_at_packet && !sent_.empty()) return true;
  }
  now_ = to;
  poll();
  return !sent_.empty();
}

void Conversation::wait(Duration d, Where w) {
  settle(w);
  if (failed_) return;
  const Instant to = now_ + d;
  advance(to, true);
  if (now_ != to) settle(w);
}

void Conversation::run(Duration d) {
  if (!failed_) advance(now_ + d, false);
}

}  // namespace estab::script
