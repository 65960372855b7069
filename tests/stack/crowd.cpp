// SPDX-License-Identifier: Apache-2.0
#include "crowd.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::test {

struct Arrived {
  wire::TcpHeader header;
  std::uint32_t text;
};

namespace {

const Endpoint server{Address::v4(10, 0, 0, 1), Port{80}};
constexpr std::uint32_t request_size = 100;
constexpr Duration step = 10ms;

}  // namespace

Crowd::Crowd(const StackConfig& config, Duration write_timeout)
    : stack_(pool_, config, {.table = {1, 2}}), write_timeout_(write_timeout) {
  stack_.add_interface({.addresses = {{server.address, 24}}});
  stack_.add_route({Prefix{Address::v4(0, 0, 0, 0), 0}, 0});
  listener_ = *stack_.listen(server, {.backlog = 4096, .half_open_limit = 8192}, now_);
}

std::size_t Crowd::join(const Habits& habits, unsigned network) {
  const unsigned n = in_network_[network]++;
  const Endpoint self{Address::v4(10, std::uint8_t(1 + network / 200), std::uint8_t(network % 200),
                                  std::uint8_t(1 + n % 200)),
                      Port(std::uint16_t(1024 + n / 200))};
  const std::size_t index = peers_.size();
  peers_.push_back({.habits = habits, .self = self, .next = Seq(std::uint32_t(index * 7919))});
  by_address_[self] = index;
  Peer& peer = peers_.back();
  peer.began = peer.heard = now_;
  if (habits.read_rate > 0) active_.push_back(index);
  say(peer, true, 0);
  return index;
}

void Crowd::newcomers(Duration every, std::uint32_t ask) {
  newcomer_every_ = every;
  newcomer_ask_ = ask;
  next_newcomer_ = now_ + every;
}

// --- The peers
// --------------------------------------------------------------------------------------

void Crowd::say(Peer& peer, bool syn, std::uint32_t text, bool rst) {
  wire::TcpHeader h{.source = peer.self.port,
                    .destination = server.port,
                    .seq = peer.next,
                    .ack = peer.open ? peer.received : Seq{},
                    .flags = {.syn = syn, .rst = rst, .psh = text > 0, .ack = peer.open}};
  const std::uint32_t open = peer.received < peer.edge ? distance(peer.received, peer.edge) : 0;
  h.window = std::uint16_t(syn ? std::min(peer.habits.window, 65535u)
                               : std::min(open >> peer.habits.scale, 65535u));
  if (syn) {
    h.options.mss = std::uint16_t{1460};
    if (peer.habits.scale > 0) h.options.window_scale = peer.habits.scale;
  }
  const std::size_t size = wire::tcp_size(h);
  Packet packet = pool_.allocate(size + text);
  wire::emit_tcp(h, packet.linear());
  wire::emit_ip({.source = peer.self.address,
                 .destination = server.address,
                 .protocol = wire::Protocol::tcp,
                 .header_length = 20,
                 .total_length = std::uint32_t(20 + size + text)},
                packet.push_front(20));
  packet.offload().checksum = Offload::Checksum::verified;
  packet.interface() = 0;
  inbox_.push_back(std::move(packet));
}

void Crowd::transmit(Packet packet) {
  const auto ip = wire::parse_ip(packet.linear(), packet.size());
  ASSERT_TRUE(ip);
  packet.pull_front(ip->header_length);
  const auto tcp = wire::parse_tcp(packet.linear());
  ASSERT_TRUE(tcp);
  packet.pull_front(tcp->length);
  const auto at = by_address_.find({ip->destination, tcp->header.destination});
  ASSERT_NE(at, by_address_.end());
  hear(peers_[at->second], {tcp->header, std::uint32_t(packet.size())});
}

void Crowd::hear(Peer& peer, const Arrived& arrived) {
  const auto& h = arrived.header;
  if (peer.ended) return;
  if (h.flags.rst) {
    peer.ended = true, peer.ended_at = now_;
    return;
  }
  peer.heard = now_;
  if (h.flags.syn) {
    if (!peer.open) {
      peer.open = true;
      peer.next += 1;
      peer.received = h.seq + 1;
      peer.edge = peer.received + peer.habits.window;
    }
    say(peer, false, 0);
    say(peer, false, request_size);
    return;
  }
  if (peer.habits.vanishes) return;
  if (peer.next < h.ack) peer.next = h.ack;  // The request has arrived.
  const bool probe = arrived.text == 0 && !h.flags.fin;
  if (probe && !(h.seq < peer.received && peer.habits.answers_probes)) return;
  if (h.seq <= peer.received && peer.received < h.seq + arrived.text) {
    const Seq end = earlier(h.seq + arrived.text, peer.edge);
    if (peer.received < end) {
      const std::uint32_t fresh = distance(peer.received, end);
      peer.unread += fresh, peer.got += fresh, peer.received = end;
    }
  }
  if (peer.habits.read_rate == ~0u) peer.unread = 0, peer.edge = peer.received + peer.habits.window;
  if (!peer.done && peer.got >= peer.habits.ask) peer.done = true, peer.finished = now_;
  if (h.flags.fin && h.seq + arrived.text == peer.received) peer.received += 1;
  say(peer, false, 0);
}

void Crowd::tick(Peer& peer) {
  if (peer.ended || peer.done) return;
  const auto& habits = peer.habits;
  if (now_ - peer.heard > 1s && habits.read_rate == ~0u) {  // It says it again.
    peer.heard = now_;
    if (!peer.open) return say(peer, true, 0);
    if (peer.got == 0) return say(peer, false, request_size);
  }
  if (!peer.open || habits.read_rate == 0 || habits.read_rate == ~0u) return;
  // It reads each 100 ms, and says so when a sixteenth of the buffer is free, as Linux does.
  if ((now_ - peer.began) / 1ms % 100 != 0) return;
  peer.unread -= std::min(peer.unread, habits.read_rate / 10);
  const Seq edge = peer.received + (habits.window - std::min(habits.window, peer.unread));
  if (!(peer.edge < edge) || distance(peer.edge, edge) < std::max(habits.window / 16, 1460u))
    return;
  peer.edge = edge;
  say(peer, false, 0);
}

// --- The server
// --------------------------------------------------------------------------------------

void Crowd::serve() {
  Notice notice;
  while (stack_.next_notice(notice)) {
    if (notice.bits & notice::acceptable) {
      while (const auto id = stack_.accept(listener_)) {
        const std::uint64_t name = next_session_++;
        const auto info = stack_.status(*id, now_);
        (void)stack_.set_user(*id, name);
        const std::size_t peer = by_address_.at(info->flow.remote);
        serve(sessions_[name] = {.id = *id, .peer = peer});
      }
    }
    const auto at = sessions_.find(notice.user);
    if (notice.listener != ListenerId{} || at == sessions_.end()) continue;
    if (notice.bits & notice::closed) forget(notice.user);
    else serve(at->second);
  }
}

void Crowd::serve(Session& session) {
  static const std::vector<std::byte> zeros(1 << 18);
  std::byte in[request_size];
  const auto& habits = peers_[session.peer].habits;
  while (const auto got = stack_.receive(session.id, in, now_).value_or(0)) {
    if (got > 0 && !std::exchange(session.asked, true)) session.left = habits.ask;
  }
  while (session.left > 0) {
    const auto size = std::min<std::uint64_t>(session.left, zeros.size());
    const auto sent = stack_.send(session.id, Bytes{zeros}.first(size), {}, now_).value_or(0);
    session.left -= sent;
    if (sent == 0) return;
  }
  if (session.asked && habits.server_closes) {
    const auto id = session.id;
    for (auto it = sessions_.begin(); it != sessions_.end(); ++it)
      if (it->second.id == id) {
        sessions_.erase(it);
        break;
      }
    (void)stack_.close(id, now_);
  }
}

void Crowd::forget(std::uint64_t session) {
  (void)stack_.close(sessions_[session].id, now_);
  sessions_.erase(session);
}

void Crowd::time_out() {
  std::vector<std::uint64_t> late;
  for (const auto& [name, session] : sessions_) {
    const auto info = stack_.status(session.id, now_);
    if (!info || info->stalled >= write_timeout_) late.push_back(name);
  }
  for (const auto name : late) {
    (void)stack_.abort(sessions_[name].id, now_);
    sessions_.erase(name);
  }
}

// --- Time
// -------------------------------------------------------------------------------------------

void Crowd::run(Duration d) {
  for (const Instant end = now_ + d; now_ < end; now_ += step) {
    if (now_ >= next_newcomer_) {
      next_newcomer_ = now_ + newcomer_every_;
      newcomers_.push_back(join({.ask = newcomer_ask_, .read_rate = ~0u, .server_closes = true},
                                unsigned(1000 + newcomers_.size() % 50)));
    }
    for (const auto index : active_) tick(peers_[index]);
    auto arrived = std::exchange(inbox_, {});
    for (std::size_t n = 0; n < arrived.size() || n == 0; n += 64) {
      const auto batch =
          std::span{arrived}.subspan(n, std::min<std::size_t>(64, arrived.size() - n));
      stack_.receive(batch, now_);
      serve();
      stack_.poll_transmit(*this, now_);
      serve();
      most_memory_ = std::max(most_memory_, stack_.memory());
    }
    if (stack_.next_deadline() <= now_) stack_.poll_transmit(*this, now_);
    if (now_ < next_look_) continue;
    next_look_ = now_ + 2s;
    time_out();
    ASSERT_EQ(stack_.audit(), "");
    std::erase_if(active_, [&](std::size_t n) { return peers_[n].ended || peers_[n].done; });
  }
}

std::size_t Crowd::count_ended() const {
  return std::size_t(std::ranges::count_if(peers_, &Peer::ended));
}

Duration Crowd::longest_wait() const {
  Duration longest{};
  for (const auto n : newcomers_) {
    const Peer& peer = peers_[n];
    longest = std::max(longest, (peer.done ? peer.finished : now_) - peer.began);
  }
  return longest;
}

}  // namespace estab::test
