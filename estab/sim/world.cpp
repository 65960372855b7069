// SPDX-License-Identifier: Apache-2.0
#include "estab/sim/world.hpp"

#include <algorithm>

#include "estab/sim/draw.hpp"

namespace estab::sim {
namespace {

constexpr std::uint16_t service_port = 7, first_opener_port = 20000, first_peer_port = 40000;
constexpr Duration all_start_within = 20s;
// No program waits longer for its next step: R2 is 925 s, and its last interval 120 s.
constexpr Duration longest_wait = 1300s;
constexpr Duration watch_interval = 60s;

// Two ends, numbers 2 n and 2 n + 1, of the n-th connection.
struct Couple {
  std::unique_ptr<End> ends[2];
  std::size_t nodes[2];
  bool v6 = false;
  bool simultaneous = false;  // Both open.
  std::uint64_t edges[2]{};   // The furthest octets that the peers have offered to take.
  Instant start{};
};

class World {
 public:
  explicit World(const WorldConfig& config);
  WorldResult run();

 private:
  struct Wakeup {
    Instant at;
    std::size_t end;
    // The earliest first, and of two the smaller number: always in the same order.
    friend bool operator<(const Wakeup& a, const Wakeup& b) {
      return a.at != b.at ? a.at > b.at : a.end > b.end;
    }
  };

  void draw_couples(unsigned count, std::uint32_t most_octets);
  void step(Instant to);
  void start(std::size_t number);
  void connect(std::size_t end);
  void run_end(std::size_t number);
  void take_notices(std::size_t node);
  void take_notice(std::size_t node, const Notice& told);
  void accept_all(std::size_t node);
  void look_at_events();
  void look_at(std::size_t node, const Event& event, Bytes packet);
  void look_at_window(std::size_t number);
  void watch_for_stalls();
  void judge_couple(std::size_t number);
  void judge_end();
  void violated(std::size_t couple, const std::string& what);
  [[nodiscard]] End& end(std::size_t number) { return *couples_[number / 2].ends[number % 2]; }
  [[nodiscard]] Endpoint endpoint(std::size_t number) const;
  [[nodiscard]] Instant now() const { return network_.now(); }

  const WorldConfig& config_;
  Random random_;
  fault::Impairment impairment_;
  Network network_;
  std::size_t live_bytes_ = 0;           // Before anything happened.
  std::vector<OfferedWindows> windows_;  // By node.
  std::vector<ListenerId> listeners_;
  std::vector<Couple> couples_;
  std::priority_queue<Wakeup> wakeups_;
  Instant watched_{};
  WorldResult result_;
};

NetworkConfig draw_network(Random& random, const WorldConfig& config,
                           const fault::Impairment& impairment) {
  NetworkConfig network{.nodes = {},
                        .impairment = impairment,
                        .seed = random(),
                        .keep = std::max(config.keep, OfferedWindows::headers)};
  for (unsigned i = 0; i < config.nodes; ++i) network.nodes.push_back(draw_stack(random));
  network.mtu = std::uint32_t(random.chance(0.7) ? 1500 : draw_scale(random, 1280, 9000));
  network.largest_segment = random.chance(0.3) ? 65535 : network.mtu;
  return network;
}

World::World(const WorldConfig& config)
    : config_(config),
      random_(config.seed),
      impairment_(draw_impairment(random_, config.worst)),
      network_(draw_network(random_, config, impairment_)),
      windows_(config.nodes) {
  result_.impairment = impairment_;
  live_bytes_ = network_.pool().live_bytes();
  for (std::size_t i = 0; i < network_.nodes(); ++i)
    listeners_.push_back(*network_.stack(i).listen({{}, Port{service_port}}, {}, now()));
  draw_couples(config.connections, config.most_octets);
}

void World::draw_couples(unsigned count, std::uint32_t most_octets) {
  for (unsigned i = 0; i < count; ++i) {
    const auto plans = draw_plans(random_, most_octets);
    Couple couple;
    couple.ends[0] = std::make_unique<End>(plans.opener, plans.peer.stream, random_());
    couple.ends[1] = std::make_unique<End>(plans.peer, plans.opener.stream, random_());
    couple.nodes[0] = random_.below(network_.nodes());
    couple.nodes[1] =
        (couple.nodes[0] + 1 + random_.below(network_.nodes() - 1)) % network_.nodes();
    couple.v6 = random_.chance(0.3);
    couple.simultaneous = random_.chance(0.05);
    couple.start = Instant{} + Duration(random_.below(std::uint64_t(all_start_within.count())));
    couples_.push_back(std::move(couple));
    wakeups_.push({couples_.back().start, 2 * i});
  }
}

Endpoint World::endpoint(std::size_t number) const {
  const auto& couple = couples_[number / 2];
  const auto address = Network::address(couple.nodes[number % 2], couple.v6);
  if (number % 2 == 0) return {address, Port(first_opener_port + number / 2)};
  return {address, Port(couple.simultaneous ? first_peer_port + number / 2 : service_port)};
}

WorldResult World::run() {
  while (result_.violation.empty()) {
    Instant next = network_.next_deadline();
    if (!wakeups_.empty()) next = std::min(next, wakeups_.top().at);
    if (next == never) break;
    step(std::max(next, now()));
  }
  result_.took = now() - Instant{};
  result_.faults = network_.faults();
  if (result_.violation.empty()) judge_end();
  return result_;
}

void World::step(Instant to) {
  network_.advance(to);
  for (std::size_t i = 0; i < network_.nodes(); ++i) take_notices(i);
  while (!wakeups_.empty() && wakeups_.top().at <= now()) {
    const auto number = wakeups_.top().end;
    wakeups_.pop();
    if (number % 2 == 0 && now() == couples_[number / 2].start && !end(number).attached())
      start(number);
    else run_end(number);
  }
  network_.transmit();
  look_at_events();
  if (now() - watched_ > watch_interval) watch_for_stalls();
}

// --- Programs ------------------------------------------------------------------------------------

void World::start(std::size_t number) {
  connect(number);
  if (couples_[number / 2].simultaneous) connect(number + 1);  // Before a packet has left.
}

void World::connect(std::size_t number) {
  auto& stack = network_.stack(couples_[number / 2].nodes[number % 2]);
  const auto id = stack.connect(
      {.remote = endpoint(number ^ 1), .local = endpoint(number), .options = {}}, now());
  if (!id) return violated(number / 2, "connect: " + std::string(message(id.error())));
  (void)stack.set_user(*id, number + 1);
  end(number).attach(stack, *id);
}

void World::run_end(std::size_t number) {
  auto& e = end(number);
  if (!e.attached() || e.outcome() != Outcome::none) return;
  const auto next = e.run(now());
  if (!e.violation().empty()) return violated(number / 2, e.violation());
  if (next != never) wakeups_.push({std::max(next, now() + 1ns), number});
  judge_couple(number / 2);
}

void World::take_notices(std::size_t node) {
  Notice told;
  while (network_.stack(node).next_notice(told)) take_notice(node, told);
}

void World::take_notice(std::size_t node, const Notice& told) {
  if (told.user == 0) return accept_all(node);
  const auto number = std::size_t(told.user - 1);
  if (told.bits & notice::connected) end(number).open();
  if (told.bits & notice::closed && told.error != Error::none) {
    end(number).fail(told.error);
    return judge_couple(number / 2);
  }
  run_end(number);
}

void World::accept_all(std::size_t node) {
  auto& stack = network_.stack(node);
  while (const auto id = stack.accept(listeners_[node])) {
    const auto info = stack.status(*id, now());
    if (!info) {  // It ended while it waited; there is nobody to tell.
      (void)stack.close(*id, now());
      continue;
    }
    const std::size_t couple = number(info->flow.remote.port) - first_opener_port;
    const auto number = 2 * couple + 1;
    if (couple >= couples_.size())
      return violated(0, "a connection was accepted that nobody opened");
    if (end(number).outcome() != Outcome::none) {
      // A copy of the SYN came when the first connection had ended; in the same instant it even
      // gets the same number (RFC 6528), so that old segments may complete it.
      (void)stack.abort(*id, now());
      continue;
    }
    if (end(number).attached()) return violated(couple, "a connection was accepted twice");
    (void)stack.set_user(*id, number + 1);
    end(number).attach(stack, *id);
    end(number).open();
    run_end(number);
  }
}

// --- What must hold ------------------------------------------------------------------------------

void World::look_at_events() {
  for (std::size_t i = 0; i < network_.nodes(); ++i)
    network_.stack(i).log().drain([&](const Event& event, Bytes packet) {
      ++result_.events;
      if (config_.observe)
        config_.observe(event, packet.first(std::min<std::size_t>(config_.keep, packet.size())));
      look_at(i, event, packet);
    });
  if (!network_.violation().empty()) violated(0, network_.violation());
}

void World::look_at(std::size_t node, const Event& event, Bytes packet) {
  // Openers have the ports from 20000 on, whichever side speaks.
  const auto local = number(event.flow.local.port), remote = number(event.flow.remote.port);
  const bool opener = local >= first_opener_port && local < first_peer_port;
  const std::size_t couple = (opener ? local : remote) - std::size_t{first_opener_port};
  if (const auto wrong = windows_[node].look_at(event, packet); !wrong.empty())
    violated(couple < couples_.size() ? couple : 0, wrong);
  if (couple < couples_.size()) look_at_window(2 * couple + !opener);
}

// Once cwnd was cut, flight may exceed it until it has drained (RFC 5681 §3.2, RFC 6675).
bool saw_loss(const ConnectionInfo& info) { return info.ssthresh < 0x7fffffff; }

void World::look_at_window(std::size_t number) {
  const auto& e = end(number);
  if (!e.is_open() || e.outcome() != Outcome::none) return;
  const auto info = e.stack()->status(e.id(), now());
  if (!info) return;
  constexpr std::uint32_t fin = 1;
  if (const auto wrong = check_connection(*info); !wrong.empty()) violated(number / 2, wrong);
  if (needs_a_deadline(*info) && e.stack()->next_deadline() == never)
    violated(number / 2, "it has something to send or to wait for, and no deadline");
  // An ACK that was overtaken may show an older window; what was once offered stays offered.
  const auto sent = info->octets_sent - info->octets_retransmitted;
  auto& edge = couples_[number / 2].edges[number % 2];
  edge = std::max(edge, sent + fin - info->flight + info->send_window);
  if (sent > edge)
    violated(number / 2, "octet " + std::to_string(sent) + " was sent past the right edge, " +
                             std::to_string(edge) + ", of the peer's window");
  const std::uint32_t limited_transmit = 2u * info->send_mss;
  if (!saw_loss(*info) && info->flight > info->cwnd + limited_transmit + fin)
    violated(number / 2, "flight " + std::to_string(info->flight) + " exceeds cwnd " +
                             std::to_string(info->cwnd));
}

void World::watch_for_stalls() {
  watched_ = now();
  for (std::size_t i = 0; i < network_.nodes(); ++i)
    if (const auto wrong = check_stack(network_.stack(i), now()); !wrong.empty())
      violated(0, wrong);
  for (std::size_t i = 0; i < couples_.size(); ++i) {
    Instant last = couples_[i].start;
    bool waits = false;
    for (const auto& e : couples_[i].ends) {
      last = std::max(last, e->progress());
      waits |= e->attached() && e->outcome() == Outcome::none;
    }
    if (waits && now() - last > longest_wait) violated(i, "stall: an end waits in vain");
  }
}

// Whether its packets may be lost or changed on the way.
bool harms(const fault::Impairment& i) { return i.loss > 0 || i.corrupt > 0 || i.rate > 0; }

void World::judge_couple(std::size_t couple) {
  const auto& a = *couples_[couple].ends[0];
  const auto& b = *couples_[couple].ends[1];
  for (const auto& [reader, writer] : {std::pair{&a, &b}, {&b, &a}}) {
    if (reader->read() > writer->written()) violated(couple, "more was read than was written");
    if (reader->saw_end() && !(writer->closed_sending() || writer->outcome() == Outcome::left))
      violated(couple, "an end was read that was not written");
    if (reader->saw_end() && reader->read() != writer->written())
      violated(couple, "the end was read after " + std::to_string(reader->read()) + " of " +
                           std::to_string(writer->written()) + " octets");
    const bool broken = writer->outcome() == Outcome::left || reader->outcome() == Outcome::left;
    if (reader->outcome() == Outcome::failed && !broken && !harms(impairment_))
      violated(couple,
               "failed on a path that loses nothing: " + std::string(message(reader->error())));
  }
}

void World::judge_end() {
  for (std::size_t i = 0; i < couples_.size(); ++i) {
    judge_couple(i);
    for (const auto& e : couples_[i].ends) {
      if (e->attached() && e->outcome() == Outcome::none)
        violated(i, "all is quiet, and an end still waits");
      result_.complete += e->outcome() == Outcome::complete;
      result_.left += e->outcome() == Outcome::left;
      result_.failed += e->outcome() == Outcome::failed;
      result_.octets += e->read();
    }
  }
  for (std::size_t i = 0; i < network_.nodes(); ++i) {
    const auto left = network_.stack(i).snapshot(now());
    if (!left.connections.empty() || !left.half_open.empty() || !left.time_wait.empty())
      violated(0, "all is quiet, and a stack still holds a connection or a record");
  }
  if (network_.pool().live_bytes() != live_bytes_)
    violated(0, "live bytes: " + std::to_string(network_.pool().live_bytes()) + ", at first " +
                    std::to_string(live_bytes_));
}

void World::violated(std::size_t couple, const std::string& what) {
  if (!result_.violation.empty()) return;
  result_.violation =
      "connection " + std::to_string(couple) + " (" + endpoint(2 * couple).to_string() + " to " +
      endpoint(2 * couple + 1).to_string() + ") at " +
      std::to_string(std::chrono::duration<double>(now() - Instant{}).count()) + " s: " + what;
}

}  // namespace

WorldResult run_world(const WorldConfig& config) { return World(config).run(); }

}  // namespace estab::sim
