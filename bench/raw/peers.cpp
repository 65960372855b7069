// SPDX-License-Identifier: Apache-2.0
// estab_raw_peers DEVICE SERVER:PORT SECONDS GROUP…: clients that are no TCP, on a TUN device that
// this makes. It prints "ready" when the device is there, and begins at a line, or the end, of its
// standard input, so that the caller can make the routes. A group is KIND:COUNT:PREFIX:PATH:WINDOW,
// such as hold:3000:10.88.0.0/16:/large:65535; the kinds are those of peer.hpp. 1,000 connections
// are opened a second. It ends after so many seconds, at a signal, or when none is open;
// connections are then left as they are. Once in two seconds, and at the end, it prints a line a
// group:
//   KIND waiting=N open=N ended=N reset=N bytes=N [slowest=S] [least_stall=S]
// waiting: no SYN-ACK came, or the request is not acknowledged yet. slowest: seconds that the
// longest of those that ended took. least_stall: of those that were reset, for how many seconds at
// least none had acknowledged a byte.
#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <deque>
#include <exception>
#include <map>
#include <random>
#include <stdexcept>

#include "device.hpp"
#include "peer.hpp"

namespace estab::raw {
namespace {

using namespace std::chrono_literals;

volatile std::sig_atomic_t interrupted = 0;
constexpr unsigned opened_a_second = 1000;

struct Group {
  PeerSettings settings;
  unsigned count = 0;
  Prefix from;
  std::deque<Peer> peers;
};

std::uint32_t number_in(std::string_view text) {
  std::uint32_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument("'" + std::string(text) + "' is no number");
  return n;
}

// "hold:3000:10.88.0.0/16:/large:65535"; the prefix of IPv6 stands in brackets.
Group parse_group(std::string_view text) {
  const auto take = [&](char until) {
    const auto part = text.substr(0, text.find(until));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
  };
  Group group;
  const auto kind = take(':');
  bool known = false;
  for (auto k = PeerKind::get; k <= PeerKind::close; k = PeerKind(unsigned(k) + 1))
    if (to_string(k) == kind) group.settings.kind = k, known = true;
  if (!known) throw std::invalid_argument("'" + std::string(kind) + "' is no kind of peer");
  group.count = number_in(take(':'));
  const bool v6 = text.starts_with('[');
  if (v6) text.remove_prefix(1);
  const auto prefix = Prefix::parse(take(v6 ? ']' : ':'));
  if (!prefix) throw std::invalid_argument("no prefix in a group");
  if (v6) take(':');
  group.from = *prefix;
  group.settings.path = take(':');
  group.settings.window = number_in(take(':'));
  return group;
}

// "10.77.0.2:80", "[fd00:77::2]:80".
Endpoint parse_server(std::string_view text) {
  const auto colon = text.rfind(':');
  auto host = text.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  if (colon == text.npos || !address) throw std::invalid_argument("no SERVER:PORT");
  return {*address, Port{std::uint16_t(number_in(text.substr(colon + 1)))}};
}

// The n-th client's end: addresses first, then ports.
Endpoint nth(const Prefix& prefix, unsigned n) {
  const unsigned host_bits = (prefix.address.is_v4() ? 32u : 128u) - prefix.length;
  const std::uint32_t hosts = (1u << std::min(host_bits, 16u)) - 2;
  auto octets = prefix.address.prefix(prefix.length).octets();
  std::uint32_t host = 1 + n % hosts;
  for (std::size_t i = 16; i-- > 12; host >>= 8) octets[i] |= std::uint8_t(host);
  return {Address::v6(octets), Port{std::uint16_t(20'000 + n / hosts)}};
}

class Crowd {
 public:
  Crowd(const std::string& device, const Endpoint& server, std::deque<Group> groups)
      : tun_(make_tun(device)), server_(server), groups_(std::move(groups)) {}

  void run(std::chrono::seconds at_most) {
    const auto start = std::chrono::steady_clock::now();
    Time printed = start, ticked = start;
    for (;;) {
      const auto now = std::chrono::steady_clock::now();
      open_until(unsigned(Seconds(now - start).count() * opened_a_second), now);
      pollfd wait{.fd = tun_.get(), .events = POLLIN, .revents = 0};
      ::poll(&wait, 1, 2);
      receive();
      if (now - ticked >= 100ms) ticked = now, tick(now);
      if (interrupted != 0 || now - start >= at_most || none_is_open()) break;
      if (now - printed >= 2s) printed = now, print();
    }
    print();
  }

 private:
  void open_until(unsigned count, Time now) {
    for (auto& group : groups_)
      while (group.peers.size() < group.count && opened_ < count) {
        const auto local = nth(group.from, unsigned(group.peers.size()));
        auto& peer = group.peers.emplace_back(group.settings, local, server_, random_());
        by_end_.emplace(local, &peer);
        peer.open(now, send_);
        ++opened_;
      }
  }
  void receive() {
    for (int n = 0; n < 4096; ++n) {
      const auto size = ::read(tun_.get(), room_.data(), room_.size());
      if (size <= 0) return;
      const auto segment = from_datagram(std::span(room_).first(std::size_t(size)));
      if (!segment || segment->from != server_) continue;
      if (const auto peer = by_end_.find(segment->to); peer != by_end_.end())
        peer->second->receive(*segment, std::chrono::steady_clock::now(), send_);
    }
  }
  void tick(Time now) {
    for (auto& group : groups_)
      for (auto& peer : group.peers) peer.tick(now, send_);
  }
  [[nodiscard]] bool none_is_open() const {
    for (const auto& group : groups_) {
      if (group.peers.size() < group.count) return false;
      for (const auto& peer : group.peers)
        if (peer.state() != PeerState::ended && peer.state() != PeerState::reset) return false;
    }
    return true;
  }
  void print() const {
    for (const auto& group : groups_) {
      std::size_t waiting = 0, open = 0, ended = 0, reset = 0, bytes = 0;
      Seconds slowest{}, stall = Seconds::max();
      for (const auto& peer : group.peers) {
        bytes += peer.bytes();
        switch (peer.state()) {
          case PeerState::waiting:
          case PeerState::asking:  ++waiting; break;
          case PeerState::open:    ++open; break;
          case PeerState::ended:   ++ended, slowest = std::max(slowest, peer.lasted()); break;
          case PeerState::reset:   ++reset, stall = std::min(stall, peer.stalled()); break;
        }
      }
      std::printf("%s waiting=%zu open=%zu ended=%zu reset=%zu bytes=%zu",
                  to_string(group.settings.kind).data(), waiting, open, ended, reset, bytes);
      if (ended > 0) std::printf(" slowest=%.2f", slowest.count());
      if (reset > 0) std::printf(" least_stall=%.1f", stall.count());
      std::puts("");
    }
    std::fflush(stdout);
  }

  Descriptor tun_;
  Endpoint server_;
  std::deque<Group> groups_;  // Peers hold on to their group's settings.
  std::map<Endpoint, Peer*> by_end_;
  std::vector<std::uint8_t> room_ = std::vector<std::uint8_t>(65536);
  std::mt19937 random_{1};
  unsigned opened_ = 0;
  Peer::Send send_ = [this](const Segment& segment) {
    const auto datagram = to_datagram(segment);
    // What does not fit is lost, and sent again.
    [[maybe_unused]] const auto sent = ::write(tun_.get(), datagram.data(), datagram.size());
  };
};

int run(int argc, char** argv) {
  std::deque<Group> groups;
  for (int i = 4; i < argc; ++i) groups.push_back(parse_group(argv[i]));
  if (groups.empty())
    throw std::invalid_argument("estab_raw_peers DEVICE SERVER:PORT SECONDS GROUP…");
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = 1; });
  Crowd crowd(argv[1], parse_server(argv[2]), std::move(groups));
  std::puts("ready");
  std::fflush(stdout);
  for (char c = 0; c != '\n' && ::read(0, &c, 1) == 1;) {}
  crowd.run(std::chrono::seconds(number_in(argv[3])));
  return 0;
}

}  // namespace
}  // namespace estab::raw

int main(int argc, char** argv) {
  try {
    return estab::raw::run(argc, argv);
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "estab_raw_peers: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "estab_raw_peers: %s\n", error.what());
    return 1;
  }
}
