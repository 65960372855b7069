// SPDX-License-Identifier: Apache-2.0
// estab_raw_forge INTERFACE SERVER:PORT RATE SEED: forges RATE segments a second in the name of the
// client of the connection to SERVER:PORT that moves data on the interface, until SIGINT, SIGTERM,
// or the connection's end. Flags, sequence numbers (within 70,000 of what the server waits for),
// acknowledgments, timestamps, SACK blocks, windows and text are drawn at random, by SEED. It
// prints one line at its end:
//   forged=N left_out=N
// It sniffs the connection, so that it can leave out what a TCP has to take: a RST at RCV.NXT (RFC
// 5961 §3.2), and a segment that passes the checks of sequence number (RFC 9293 §3.10.7.4),
// timestamp (RFC 7323 §5.3) and acknowledgment (RFC 5961 §5.2). Its view lags behind the server's
// by what is under way, so it leaves out what lies near an edge as well.
#include <poll.h>

#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <random>
#include <stdexcept>

#include "device.hpp"
#include "segment.hpp"

namespace estab::raw {
namespace {

using Clock = std::chrono::steady_clock;
volatile std::sig_atomic_t ended = 0;

constexpr std::int32_t reach = 70'000;       // Of sequence numbers.
constexpr std::int32_t under_way = 8 << 20;  // Bytes by which our view of the ACKs may lag.
constexpr std::uint8_t our_hop_limit = 61;   // By which we know our own.
constexpr std::int32_t timestamps_under_way = 10'000;

// The connection as the last segments seen tell it.
struct View {
  Endpoint client;
  bool known = false, over = false, has_timestamps = false;
  std::uint32_t client_next = 0;  // RCV.NXT of the server.
  std::uint32_t server_una = 0, server_next = 0;
  std::uint32_t recent = 0;         // TS.Recent of the server.
  std::uint32_t echo = 0;           // The server's clock.
  std::uint32_t scaled_window = 0;  // As the server's last segment offered it, unscaled.
  unsigned server_scale = 0;
};

void learn(View& view, const Segment& s, const Endpoint& server) {
  const bool from_server = s.from == server;
  if (!from_server && (s.to != server || s.hop_limit == our_hop_limit)) return;
  const auto& client = from_server ? s.to : s.from;
  if (s.has(syn)) {
    view = {.client = client};
    if (from_server) view.server_scale = s.scale.value_or(0);
  }
  if (client != view.client) return;
  if (s.has(rst)) view.over = true;
  view.has_timestamps = s.timestamps.has_value();
  if (from_server) {
    if (s.has(syn)) view.server_una = view.server_next = s.sequence;
    const auto next = s.sequence + s.length();
    if (after(next, view.server_next) > 0) view.server_next = next;
    if (s.timestamps) view.echo = s.timestamps->value;
    view.scaled_window = s.window;
    view.known = view.known || !s.text.empty();
  } else {
    view.client_next = std::max(view.client_next, s.sequence + s.length(),
                                [](auto a, auto b) { return after(a, b) < 0; });
    if (s.has(syn)) view.client_next = s.sequence + 1;
    if (s.has(ack) && after(s.acknowledgment, view.server_una) > 0)
      view.server_una = s.acknowledgment;
    if (s.timestamps) view.recent = s.timestamps->value;
    view.over = view.over || s.has(fin);
  }
}

class Forger {
 public:
  explicit Forger(std::uint32_t seed) : random_(seed) {}

  // The text is lent from this.
  Segment draw(const View& view, const Endpoint& server) {
    Segment s{.from = view.client, .to = server, .hop_limit = our_hop_limit};
    s.sequence = view.client_next + std::uint32_t(std::int32_t(random_() % (2 * reach)) - reach);
    s.acknowledgment = random_() % 2 == 0 ? random_() : near(view.server_una);
    s.flags = std::uint8_t(random_() & 0x3f);
    s.window = std::uint16_t(random_());
    s.urgent = std::uint16_t(random_());
    const auto timestamp = random_() % 3;
    if (timestamp == 0) s.timestamps = {std::uint32_t(random_()), std::uint32_t(random_())};
    if (timestamp == 1) s.timestamps = {near(view.recent), near(view.echo)};
    for (auto blocks = random_() % 4; blocks > 0; --blocks) {
      const auto begin = random_() % 2 == 0 ? std::uint32_t(random_()) : near(view.server_una);
      s.sack.push_back({begin, begin + std::uint32_t(random_() % reach)});
    }
    s.text = std::string_view(text_).substr(0, random_() % 3 == 0 ? random_() % 1200 : 0);
    return s;
  }

 private:
  std::uint32_t near(std::uint32_t number) {
    return number + std::uint32_t(std::int32_t(random_() % (2 * reach)) - reach);
  }
  std::mt19937 random_;
  std::string text_ = std::string(1200, 'f');
};

bool must_be_taken(const Segment& s, const View& view) {
  const auto distance = after(s.sequence, view.client_next);
  if (s.has(rst)) return distance == 0;
  if (s.has(syn) || !s.has(ack)) return false;
  // In sequence: some of it lies in the window, or it is a pure ACK at either edge of it.
  const auto window = std::int32_t(view.scaled_window << view.server_scale) + 65'536;
  if (distance > window || after(s.sequence + s.length(), view.client_next) < 0) return false;
  // Without its timestamps RFC 7323 §3.2 lets it be dropped, and Linux takes it.
  const bool old = view.has_timestamps && s.timestamps &&
                   after(s.timestamps->value, view.recent) < -timestamps_under_way;
  if (old) return false;
  return after(s.acknowledgment, view.server_una) > -under_way &&
         after(s.acknowledgment, view.server_next) < under_way;
}

std::uint32_t number_in(std::string_view text) {
  std::uint32_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument("'" + std::string(text) + "' is no number");
  return n;
}

int run(int argc, char** argv) {
  if (argc != 5) throw std::invalid_argument("estab_raw_forge INTERFACE SERVER:PORT RATE SEED");
  const std::string_view end = argv[2];
  const auto colon = end.rfind(':');
  auto host = end.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  if (colon == end.npos || !address) throw std::invalid_argument("no SERVER:PORT");
  const Endpoint server{*address, Port{std::uint16_t(number_in(end.substr(colon + 1)))}};
  const double rate = number_in(argv[3]);
  Forger forger(number_in(argv[4]));
  Sniffer sniffer(argv[1]);
  RawSender sender;
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { ended = 1; });
  std::puts("ready");
  std::fflush(stdout);

  View view;
  Sniffer::Packet packet;
  std::size_t forged = 0, left_out = 0, sent_since = 0;
  auto since = Clock::now();
  while (ended == 0 && !view.over) {
    pollfd wait{.fd = sniffer.descriptor(), .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, 1);
    while (sniffer.next(packet))
      if (const auto s = from_datagram(packet.datagram)) learn(view, *s, server);
    if (!view.known) since = Clock::now();
    const auto due =
        std::size_t(std::chrono::duration<double>(Clock::now() - since).count() * rate);
    // What this was too slow for is not made up for: the rate is a rate.
    if (due > sent_since + 200) sent_since = due - 200;
    for (; sent_since < due && !view.over; ++sent_since) {
      auto s = forger.draw(view, server);
      while (must_be_taken(s, view)) ++left_out, s = forger.draw(view, server);
      sender.send(to_datagram(s));
      ++forged;
    }
  }
  std::printf("forged=%zu left_out=%zu\n", forged, left_out);
  return 0;
}

}  // namespace
}  // namespace estab::raw

int main(int argc, char** argv) {
  try {
    return estab::raw::run(argc, argv);
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "estab_raw_forge: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "estab_raw_forge: %s\n", error.what());
    return 1;
  }
}
