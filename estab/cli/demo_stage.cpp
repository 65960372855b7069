// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/demo_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "estab/cli/commands.hpp"
#include "estab/cli/demo_process.hpp"
#include "estab/cli/demo_witness.hpp"
#include "estab/cli/ss_table.hpp"
#include "estab/host/entropy.hpp"

namespace estab::cli::demo {
namespace {

using link::Direction;
using observe::Reach;

// Our packets leave, the peer's come in.
constexpr Direction direction_of(Side from) {
  return from == Side::us ? Direction::outbound : Direction::inbound;
}
constexpr std::size_t index(Side side) { return std::to_underlying(side); }
constexpr Side other(Side side) { return side == Side::us ? Side::peer : Side::us; }

std::string words(Pair pair) { return fmt::format("{} / {}", name(pair.ours), name(pair.theirs)); }

std::unique_ptr<link::FaultyDevice> wire_to(Peer& peer) {
  return std::make_unique<link::FaultyDevice>(peer.take_device(), link::FaultyOptions{});
}

}  // namespace

Stage::Stage(PacketPool& pool, Peer& peer, Picture& picture, const StageOptions& options)
    : Stage(pool, peer, picture, options, wire_to(peer)) {}

Stage::Stage(PacketPool& pool, Peer& peer, Picture& picture, const StageOptions& options,
             std::unique_ptr<link::FaultyDevice> wire)
    : pool_(pool),
      peer_(peer),
      picture_(picture),
      options_(options),
      wire_(wire.get()),
      us_(pool, std::move(wire), our_address, host::draw_random<Secrets>()) {
  const bool we_open = options.opener == Side::us;
  flow_ = {{our_address.address, we_open ? options.client : options.server},
           {peer_address.address, we_open ? options.server : options.client}};
  wire_->set_filter([this](Direction d, const Packet& packet) { return see(d, packet); });
  if (options_.witness)
    options_.witness->watch([this] { return us_.snapshot(); }, peer_.snapshots());
  if (options_.view) us_.show_to(options_.view);
  us_.work(now_);
  peer_.work(now_, 0);
}

template <class F>
decltype(auto) Stage::at(Side who, F&& f) {
  return who == Side::us ? f(us_) : f(peer_);
}

void Stage::listen(Side who) {
  at(who, [&](auto& end) { end.listen(options_.server); });
}
void Stage::stop_listening(Side who) {
  at(who, [&](auto& end) { end.stop_listening(); });
}
void Stage::connect(Side who) {
  const auto flow = who == Side::us ? flow_ : flow_.reversed();
  at(who, [&](auto& end) { end.connect(flow.local.port, flow.remote); });
  work();
}
void Stage::accept(Side who) {
  await({}, "a connection to accept",
        [&] { return at(who, [](auto& end) { return end.accept(); }); });
}
void Stage::send(Side who, std::string_view text, bool urgent) {
  at(who, [&](auto& end) { end.send(text, urgent); });
  work();
}
void Stage::receive(Side who, std::string_view text) {
  std::string received;
  await({}, fmt::format("the text \"{}\" to read", text), [&] {
    received += at(who, [](auto& end) { return end.receive(); });
    return received.size() >= text.size();
  });
  if (received != text)
    throw Failure(fmt::format("\"{}\" was sent, and \"{}\" arrived", text, received));
}
Urgency Stage::urgency(Side who) {
  Urgency urgency;
  await({}, "word of urgent data", [&] {
    urgency = at(who, [](auto& end) { return end.urgency(); });
    return urgency.announced;
  });
  return urgency;
}
void Stage::shutdown(Side who) {
  at(who, [](auto& end) { end.shutdown(); });
  work();
}

void Stage::establish() {
  const auto opener = options_.opener;
  picture_.begin(opener == Side::us ? flow_ : flow_.reversed());
  listen(other(opener));
  connect(opener);
  for (const auto from : {opener, other(opener), opener}) { release(from, take(from, {})); }
  accept(other(opener));
  stop_listening(other(opener));
}

void Stage::begin(Pair pair) {
  if (!picture_.begun()) picture_.begin(options_.opener == Side::us ? flow_ : flow_.reversed());
  check(pair);
  const bool ours_left = options_.opener == Side::us;
  picture_.heading({ours_left ? "estab" : peer_.name(), ours_left ? peer_.name() : "estab"},
                   columns(pair));
  rest();
}

void Stage::deliver(Side from, std::string_view flags, Pair after) {
  const auto sent = take(from, flags);
  release(from, sent);
  check(after);
  picture_.arrow(sent.segment, Reach::whole, columns(after));
  rest();
}

void Stage::departs(Side from, std::string_view flags, Pair after) {
  auto sent = take(from, flags);
  check(after);
  picture_.arrow(sent.segment, Reach::departing, columns(after));
  departed_[index(from)].push_back(std::move(sent));
  rest();
}

void Stage::arrives(Side from, Pair after) { (void)arrives_or(from, after, after); }

bool Stage::arrives_or(Side from, Pair after, Pair otherwise) {
  const auto sent = std::move(departed_[index(from)].front());
  departed_[index(from)].pop_front();
  release(from, sent);
  const auto found = settle(after, otherwise);
  check(found);
  picture_.arrow(sent.segment, Reach::arriving, columns(found));
  rest();
  return found == after;
}

void Stage::lost(Side from, std::string_view flags, Pair after) {
  const auto sent = take(from, flags);
  check(after);
  picture_.arrow(sent.segment, Reach::lost, columns(after));
  rest();
}

void Stage::old_duplicate(std::uint32_t back, Pair after) {
  auto [segment, datagram, diverted] = departed_[index(Side::us)].front();
  segment.tcp.seq = segment.tcp.seq - back;
  const auto tcp = MutableBytes{datagram}.subspan(wire::ipv4_header_size);
  store_be(tcp.data() + 4, segment.tcp.seq.raw());
  store_be(tcp.data() + wire::tcp_checksum_offset, std::uint16_t{0});
  auto sum = wire::pseudo_header(segment.source.address, segment.destination.address,
                                 wire::Protocol::tcp, std::uint32_t(tcp.size()));
  store_be(tcp.data() + wire::tcp_checksum_offset, sum.add(tcp).value());
  inject(datagram);
  check(after);
  picture_.arrow(segment, Reach::arriving, columns(after));
  rest();
}

void Stage::holds(Pair pair, std::string_view remark) {
  check(pair);
  if (!remark.empty()) picture_.remark(remark, columns(pair)), rest();
}

void Stage::show_ss() {
  const auto table = [](const Snapshot& snapshot) {
    return ss_table({boost::json::value(document_of(snapshot))}, {});
  };
  const auto theirs = peer_.snapshots();
  picture_.paragraph({});
  const auto here = flow_.local.to_string();
  if (theirs) picture_.verbatim("$ estab ss          (the second estab)\n" + table(theirs()));
  else picture_.verbatim("$ ss -tan dst " + here + "\n" + output_of({"ss", "-tan", "dst", here}));
  picture_.verbatim("\n$ estab ss\n" + table(us_.snapshot()));
  picture_.paragraph({});
}

void Stage::end() {
  work();
  for (const auto& waiting : waiting_)
    if (!waiting.empty())
      throw Failure(fmt::format("a segment came that the scene does not know: {}",
                                picture_.label(waiting.front().segment)));
}

link::FilterVerdict Stage::see(Direction direction, const Packet& packet) {
  using enum link::FilterVerdict;
  if (pass_) return pass;
  const auto from = direction == Direction::outbound ? Side::us : Side::peer;
  Sent sent{{}, std::vector<std::byte>(packet.size())};
  packet.copy_to(sent.datagram);
  const auto segment =
      observe::read_segment({.length = std::uint32_t(packet.size())}, sent.datagram);
  // The kernel has also IPv6 to say, to routers that it hopes for.
  if (!segment || is_copy(from, *segment)) return drop;
  picture_.number(*segment);
  sent.segment = *segment;
  sent.diverted = std::exchange(divert_[index(from)], false);
  return waiting_[index(from)].emplace_back(std::move(sent)).diverted ? drop : hold;
}

// The kernel's clock runs on while a segment of its is held back; what its timers send again is no
// part of the scene.
bool Stage::is_copy(Side from, const observe::Segment& segment) {
  if (from == Side::us || !peer_is_kernel() || segment.length() == 0) return false;
  auto flags = segment.tcp.flags;
  flags.psh = false;
  return !seen_.emplace(segment.tcp.seq.raw(), segment.length() << 8 | flags.octet()).second;
}

void Stage::work() {
  us_.work(now_);
  peer_.work(now_, 0);
  us_.work(now_);
}

// Time passes where it must: up to the timer that `who` waits for, or, for a kernel, really.
void Stage::wait_for(std::optional<Side> who) {
  throw_if_interrupted();
  const auto due = who == Side::us     ? us_.next_deadline()
                   : who == Side::peer ? peer_.next_deadline()
                                       : never;
  if (due != never) now_ = std::max(now_, due);
  peer_.work(now_, due == never ? 5 : 0);
  us_.work(now_);
}

void Stage::await(std::optional<Side> who, std::string_view what,
                  const std::function<bool()>& there) {
  constexpr int most_waits = 1000;  // 5 s of a kernel's time.
  work();
  for (int waits = 0; !there(); ++waits) {
    if (waits == most_waits) throw Failure(fmt::format("waited in vain for {}", what));
    wait_for(who);
  }
}

Stage::Sent Stage::take(Side from, std::string_view flags) {
  auto& waiting = waiting_[index(from)];
  const auto sender = from == Side::us ? std::string("estab") : peer_.name();
  await(from, fmt::format("{} to send {}", sender, flags), [&] { return !waiting.empty(); });
  auto sent = std::move(waiting.front());
  waiting.pop_front();
  if (const auto label = picture_.label(sent.segment);
      !flags.empty() && !label.starts_with(std::string(flags) + ' '))
    throw Failure(fmt::format("{} was to send {}, and sent {}", sender, flags, label));
  return sent;
}

void Stage::release(Side from, const Sent& sent) {
  if (sent.diverted) return inject(sent.datagram);
  wire_->release(direction_of(from), 1);
  work();
}

// From us to the peer, past all that wait.
void Stage::inject(const std::vector<std::byte>& datagram) {
  Packet packet = pool_.allocate(datagram.size());
  std::ranges::copy(datagram, packet.linear().begin());
  pass_ = true;
  wire_->transmit(pool_, std::move(packet), now_);
  pass_ = false;
  work();
}

Pair Stage::states() { return {state_in(us_.snapshot(), flow_), peer_.state(flow_.reversed())}; }

Pair Stage::settle(Pair expected, Pair otherwise) {
  Pair found{};
  try {
    await({}, "the states", [&] {
      found = states();
      return found == expected || found == otherwise;
    });
  } catch (const Failure&) {
    throw_if_interrupted();
    throw Failure(fmt::format("estab / {} should be in {}, and are in {}", peer_.name(),
                              words(expected), words(found)));
  }
  return found;
}

void Stage::check(Pair expected) {
  (void)settle(expected, expected);
  if (options_.witness) options_.witness->check(flow_, expected.ours, expected.theirs);
  if (pairs_.empty() || pairs_.back() != expected) pairs_.push_back(expected);
  ++checks_;
}

Columns Stage::columns(Pair pair) const {
  if (options_.opener == Side::us) return {pair.ours, pair.theirs};
  return {pair.theirs, pair.ours};
}

void Stage::rest() {
  throw_if_interrupted();
  if (options_.slow) std::this_thread::sleep_for(900ms);
  throw_if_interrupted();
}

}  // namespace estab::cli::demo
