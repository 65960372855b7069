// SPDX-License-Identifier: Apache-2.0
#include "work.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

#include "pair.hpp"

namespace estab::bench {
namespace {

std::chrono::nanoseconds processor_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

class Bulk final : public Work {
 public:
  explicit Bulk(bool super_segments)
      : pair_({.largest_segment = super_segments ? 65535u : 1500u}),
        ends_(pair_.open()),
        unit_(super_segments ? super_text : mss_text) {}

  void run(std::size_t count) override {
    const auto until = received_ + count * unit_;
    while (received_ < until) {
      while (pair_.client.send(ends_.client, text_, {}, pair_.now)) {}
      pair_.client_to_server();
      while (const auto n = pair_.server.receive(ends_.server, room_, pair_.now)) received_ += *n;
      pair_.drain_notices();
      pair_.server_to_client();
    }
  }
  [[nodiscard]] std::string note() const override {
    return fmt::format("{:.1f} packets an ACK, batches of at most {}",
                       double(pair_.out.packets()) / double(pair_.back.packets()), batch_limit);
  }

 private:
  Pair pair_;
  Pair::Ends ends_;
  std::size_t unit_, received_ = 0;
  std::vector<std::byte> text_ = std::vector<std::byte>(64 << 10, std::byte{'e'});
  std::vector<std::byte> room_ = std::vector<std::byte>(64 << 10);
};

class RoundTrips final : public Work {
 public:
  explicit RoundTrips(std::size_t octets) : ends_(pair_.open()), text_(octets), room_(octets) {}

  void run(std::size_t count) override {
    for (; count > 0; --count) {
      say(pair_.client, ends_.client);
      pair_.client_to_server();
      hear(pair_.server, ends_.server);
      say(pair_.server, ends_.server);
      pair_.server_to_client();
      hear(pair_.client, ends_.client);
      pair_.drain_notices();
    }
  }

 private:
  void say(Stack& stack, ConnectionId id) {
    if (stack.send(id, text_, {}, pair_.now) != text_.size())
      throw std::runtime_error("the stack did not take a small write");
  }
  void hear(Stack& stack, ConnectionId id) {
    if (stack.receive(id, room_, pair_.now) != room_.size())
      throw std::runtime_error("a small write did not arrive");
  }

  Pair pair_;
  Pair::Ends ends_;
  std::vector<std::byte> text_, room_;
};

class Connections final : public Work {
 public:
  void run(std::size_t count) override {
    for (; count > 0; --count) one();
  }
  [[nodiscard]] std::string note() const override {
    const auto waiting = pair_.client.snapshot(pair_.now).time_wait.size();
    return fmt::format("{} in TIME-WAIT at the end", waiting);
  }

 private:
  void one() {
    std::byte octet{'e'};
    const auto client = pair_.connect();
    pair_.turn();  // SYN, SYN-ACK.
    must(pair_.client.send(client, {&octet, 1}, {}, pair_.now));
    pair_.client_to_server();  // ACK with text.
    const auto server = pair_.server.accept(pair_.listener);
    must(server);
    must(pair_.server.receive(*server, {&octet, 1}, pair_.now));
    must(pair_.server.send(*server, {&octet, 1}, {}, pair_.now));
    pair_.server_to_client();
    must(pair_.client.receive(client, {&octet, 1}, pair_.now));
    must(pair_.client.close(client, pair_.now));
    pair_.client_to_server();  // FIN.
    must(pair_.server.close(*server, pair_.now));
    pair_.server_to_client();  // FIN, ACK.
    pair_.client_to_server();  // ACK; TIME-WAIT.
    pair_.drain_notices();
  }
  static void must(const auto& done) {
    if (!done) throw std::runtime_error("a connection did not go as it should");
  }

  Pair pair_;
};

}  // namespace

double rate(Work& work, const Effort& effort, std::size_t limit) {
  std::size_t step = 1, done = 0;
  const auto timed = [&](std::size_t count) {
    const auto begin = processor_time();
    work.run(count);
    done += count;
    return processor_time() - begin;
  };
  // The warm-up finds how many take about a tenth of the time.
  while (timed(step) < effort.time() / 10 && done + 2 * step < limit / 4) step *= 2;
  const auto warm = done;
  std::chrono::nanoseconds spent{};
  while (spent < effort.time() && done + step <= limit) spent += timed(step);
  return double(done - warm) / std::chrono::duration<double>(spent).count();
}

std::unique_ptr<Work> bulk(bool super_segments) { return std::make_unique<Bulk>(super_segments); }
std::unique_ptr<Work> round_trips(std::size_t octets) {
  return std::make_unique<RoundTrips>(octets);
}
std::unique_ptr<Work> connections() { return std::make_unique<Connections>(); }

}  // namespace estab::bench
