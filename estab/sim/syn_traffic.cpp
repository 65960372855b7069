// SPDX-License-Identifier: Apache-2.0
#include "estab/sim/syn_traffic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <queue>
#include <tuple>
#include <utility>

#include "estab/sim/syn_sources.hpp"

namespace estab::sim {
namespace {

using observe::HandshakeStep;

constexpr std::array<Milliseconds, 4> attempts_after{0ms, 1s, 3s, 7s};
constexpr std::array<Milliseconds, 5> answers_after{0ms, 1s, 3s, 7s, 15s};
constexpr Duration between_ticks = 100ms;

enum class Kind : std::uint8_t {
  arrival,     // A client of a stream appears.
  client_syn,  // A client sends its SYN, for the first time or again.
  syn,         // What arrives at the server ...
  ack,
  reset,
  text,
  syn_ack,     // ... and at the client.
  retransmit,  // The server's SYN-ACK is due again.
  expire,      // The server's half-open record ends.
  tick,
};

struct Item {
  Instant at{};
  std::uint64_t order = 0;  // Those of one moment keep theirs.
  Kind kind{};
  std::uint32_t subject = 0;  // A stream or a client.
  friend bool operator>(const Item& a, const Item& b) {
    return std::tie(a.at, a.order) > std::tie(b.at, b.order);
  }
};

enum class Fate : std::uint8_t { complete, abandon, reset };

struct Client {
  Endpoint end;
  Duration one_way{};
  const ClientModel* model = nullptr;
  Fate fate{};
  bool silent = false;
  bool cut_in[4]{}, cut_out[4]{};  // By the scenario's outages, while they last.
  std::uint8_t attempts = 0, answers = 0;
  bool got_answer = false;              // At the client.
  bool answered = false, held = false;  // At the server ...
  bool completed = false, closed = false, talked = false;
  unsigned items = 0;  // In the queue: when there are none, the client is forgotten.
};

class Traffic {
 public:
  Traffic(const SynScenario& scenario, std::uint64_t seed, SynTrafficSink& sink)
      : scenario_(scenario), seed_(seed), random_(seed), sink_(sink) {}
  void run();

 private:
  void schedule(Duration in, Kind kind, std::uint32_t subject);
  void schedule_client(Duration in, Kind kind, std::uint32_t client);
  void handle(const Item& item);
  void arrival(std::uint32_t stream);
  [[nodiscard]] bool comes_now(const ClientStream& stream);
  std::uint32_t new_client(const ClientStream& stream);
  void client_sends_syn(std::uint32_t i);
  void client_gets_syn_ack(std::uint32_t i);
  void server_gets_syn(std::uint32_t i);
  void server_gets_ack(std::uint32_t i);
  void server_gets_text(std::uint32_t i);
  void server_gets_reset(std::uint32_t i);
  void answer(std::uint32_t i);
  void hold(std::uint32_t i);
  void release(Client& client);
  void retransmit(std::uint32_t i);
  void server_tick();
  [[nodiscard]] bool lost_in(const Client& client);
  [[nodiscard]] bool lost_out(const Client& client);
  [[nodiscard]] bool outage_now(const bool (&cut)[4]) const;
  void tell(HandshakeStep step, const Client& client);
  double normal();

  const SynScenario& scenario_;
  std::uint64_t seed_;
  Random random_;
  SynTrafficSink& sink_;
  Instant now_{};
  std::uint64_t order_ = 0;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> queue_;
  std::vector<Client> clients_;
  std::vector<std::uint32_t> free_;
  std::uint32_t half_open_ = 0, accept_queue_ = 0;
  std::uint64_t accepted_ = 0;
  double may_accept_ = 0;
};

void Traffic::schedule(Duration in, Kind kind, std::uint32_t subject) {
  queue_.push({now_ + in, order_++, kind, subject});
}

void Traffic::schedule_client(Duration in, Kind kind, std::uint32_t client) {
  ++clients_[client].items;
  schedule(in, kind, client);
}

void Traffic::run() {
  for (std::uint32_t i = 0; i < scenario_.streams.size(); ++i)
    schedule(scenario_.streams[i].from, Kind::arrival, i);
  schedule({}, Kind::tick, 0);
  for (; !queue_.empty() && queue_.top().at < Instant{scenario_.length};) {
    const auto item = queue_.top();
    queue_.pop();
    now_ = item.at;
    handle(item);
  }
}

void Traffic::handle(const Item& item) {
  const auto i = item.subject;
  switch (item.kind) {
    case Kind::arrival:    return arrival(i);
    case Kind::tick:       return server_tick();
    case Kind::client_syn: client_sends_syn(i); break;
    case Kind::syn:        server_gets_syn(i); break;
    case Kind::ack:        server_gets_ack(i); break;
    case Kind::reset:      server_gets_reset(i); break;
    case Kind::text:       server_gets_text(i); break;
    case Kind::syn_ack:    client_gets_syn_ack(i); break;
    case Kind::retransmit: retransmit(i); break;
    case Kind::expire:     release(clients_[i]); break;
  }
  if (--clients_[i].items == 0) free_.push_back(i);
}

double Traffic::normal() {
  // Box and Muller 1958; 1 - unit() is never zero.
  return std::sqrt(-2 * std::log(1 - random_.unit())) *
         std::cos(2 * std::numbers::pi * random_.unit());
}

void Traffic::arrival(std::uint32_t index) {
  const auto& stream = scenario_.streams[index];
  if (now_ >= Instant{stream.until}) return;
  const double gap = -std::log(1 - random_.unit()) / stream.rate;
  schedule(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(gap)), Kind::arrival,
           index);
  if (comes_now(stream)) schedule_client({}, Kind::client_syn, new_client(stream));
}

bool Traffic::comes_now(const ClientStream& stream) {
  const Duration since = now_ - Instant{stream.from};
  if (stream.period > 0ms && since % Duration{stream.period} >= stream.pulse) return false;
  if (since >= stream.ramp) return true;
  return random_.chance(double(since.count()) / double(Duration{stream.ramp}.count()));
}

std::uint32_t Traffic::new_client(const ClientStream& stream) {
  if (free_.empty()) free_.push_back(std::uint32_t(clients_.size())), clients_.emplace_back();
  const auto i = free_.back();
  free_.pop_back();
  const auto& model = stream.model;
  Client client{.model = &model};
  client.end = {draw_source(stream.sources, seed_, random_), Port(1024 + random_.below(64512))};
  const double rtt = std::exp(model.rtt_spread * normal()) * double(Duration{model.rtt}.count());
  client.one_way = Duration{std::int64_t(rtt / 2)};
  client.fate = random_.chance(model.abandon) ? Fate::abandon
                : random_.chance(model.reset) ? Fate::reset
                                              : Fate::complete;
  client.silent = random_.chance(model.silent);
  const auto network = client.end.address.prefix(client.end.address.is_v4() ? 24 : 56).octets();
  for (std::size_t o = 0; o < scenario_.outages.size(); ++o) {
    Random of_network{load_be<std::uint64_t>(as_bytes(network).data() + 8) ^
                      load_be<std::uint64_t>(as_bytes(network).data()) ^ (seed_ + o)};
    const bool cut = of_network.chance(scenario_.outages[o].share);
    client.cut_in[o] = cut && scenario_.outages[o].inbound;
    client.cut_out[o] = cut && scenario_.outages[o].outbound;
  }
  clients_[i] = client;
  return i;
}

bool Traffic::outage_now(const bool (&cut)[4]) const {
  for (std::size_t o = 0; o < scenario_.outages.size(); ++o) {
    const auto& outage = scenario_.outages[o];
    if (cut[o] && Instant{outage.from} <= now_ && now_ < Instant{outage.until}) return true;
  }
  return false;
}

bool Traffic::lost_in(const Client& client) {
  return random_.chance(client.model->loss) || outage_now(client.cut_in);
}

bool Traffic::lost_out(const Client& client) {
  return random_.chance(client.model->loss) || random_.chance(client.model->syn_ack_loss) ||
         outage_now(client.cut_out);
}

void Traffic::client_sends_syn(std::uint32_t i) {
  auto& client = clients_[i];
  if (client.got_answer && !client.model->persistent) return;
  const auto sent = attempts_after[client.attempts++];
  if (!lost_in(client)) schedule_client(client.one_way, Kind::syn, i);
  if (client.attempts < std::min<std::size_t>(client.model->attempts, attempts_after.size()))
    schedule_client(attempts_after[client.attempts] - sent, Kind::client_syn, i);
}

void Traffic::client_gets_syn_ack(std::uint32_t i) {
  auto& client = clients_[i];
  const bool first = !std::exchange(client.got_answer, true);
  if (client.fate == Fate::abandon) return;
  const auto kind = client.fate == Fate::reset ? Kind::reset : Kind::ack;
  if (!lost_in(client)) schedule_client(client.one_way, kind, i);
  if (!first || client.fate == Fate::reset || client.silent) return;
  const double thought = -std::log(1 - random_.unit());
  auto text = Duration{std::int64_t(thought * double(Duration{client.model->think}.count()))};
  if (lost_in(client)) text += 300ms + 2 * client.one_way;  // Sent again, and that arrives.
  schedule_client(text + client.one_way, Kind::text, i);
}

void Traffic::tell(HandshakeStep step, const Client& client) {
  sink_.handshake({now_, step, {syn_traffic_listener, client.end}});
}

void Traffic::server_gets_syn(std::uint32_t i) {
  const auto& client = clients_[i];
  if (client.completed || client.closed) return;
  tell(client.held ? HandshakeStep::syn_again : HandshakeStep::syn, client);
  if (accept_queue_ >= scenario_.server.accept_limit) return;
  if (!client.held) hold(i);
  answer(i);
}

void Traffic::hold(std::uint32_t i) {
  auto& client = clients_[i];
  if (client.answered || half_open_ >= scenario_.server.half_open_limit) return;
  client.held = true;
  ++half_open_;
  schedule_client(scenario_.server.half_open_timeout, Kind::expire, i);
  schedule_client(answers_after[1], Kind::retransmit, i);
}

void Traffic::answer(std::uint32_t i) {
  auto& client = clients_[i];
  client.answered = true;
  tell(HandshakeStep::syn_ack, client);
  if (!lost_out(client)) schedule_client(client.one_way, Kind::syn_ack, i);
}

void Traffic::retransmit(std::uint32_t i) {
  auto& client = clients_[i];
  if (!client.held) return;
  ++client.answers;
  answer(i);
  if (client.answers + 1u < answers_after.size())
    schedule_client(answers_after[client.answers + 1] - answers_after[client.answers],
                    Kind::retransmit, i);
}

void Traffic::release(Client& client) {
  if (std::exchange(client.held, false)) --half_open_;
}

void Traffic::server_gets_ack(std::uint32_t i) {
  auto& client = clients_[i];
  if (client.completed || client.closed) return;
  client.completed = true;
  release(client);
  tell(HandshakeStep::completed, client);
  if (accept_queue_ < scenario_.server.accept_limit) ++accept_queue_;
}

void Traffic::server_gets_text(std::uint32_t i) {
  server_gets_ack(i);  // It carries the ACK too.
  auto& client = clients_[i];
  if (client.closed || std::exchange(client.talked, true)) return;
  tell(HandshakeStep::client_data, client);
}

void Traffic::server_gets_reset(std::uint32_t i) {
  auto& client = clients_[i];
  if (client.completed || std::exchange(client.closed, true)) return;
  release(client);
  tell(HandshakeStep::client_reset, client);
}

void Traffic::server_tick() {
  const auto& server = scenario_.server;
  const bool slow = Instant{server.slow_from} <= now_ && now_ < Instant{server.slow_until};
  constexpr double seconds = std::chrono::duration<double>(between_ticks).count();
  may_accept_ += (slow ? server.slow_rate : server.accept_rate) * seconds;
  const auto taken = std::min(accept_queue_, std::uint32_t(may_accept_));
  accept_queue_ -= taken, accepted_ += taken;
  may_accept_ -= std::floor(may_accept_);  // What it did not use is gone.
  sink_.gauges({.at = now_,
                .half_open = half_open_,
                .half_open_limit = server.half_open_limit,
                .accept_queue = accept_queue_,
                .accept_limit = server.accept_limit,
                .half_open_timeout = server.half_open_timeout,
                .accepted = accepted_});
  schedule(between_ticks, Kind::tick, 0);
}

}  // namespace

void run_syn_traffic(const SynScenario& scenario, std::uint64_t seed, SynTrafficSink& sink) {
  Traffic(scenario, seed, sink).run();
}

}  // namespace estab::sim
