// SPDX-License-Identifier: Apache-2.0
// One end of a connection: a program that writes, reads and leaves as its plan says, and looks at
// every octet that it gets.
#pragma once
#include <string>

#include "estab/base/random.hpp"
#include "estab/stack/stack.hpp"

namespace estab::sim {

enum class Ending : std::uint8_t {
  first,  // Closes its sending side when all is written, and reads to the peer's end.
  last,   // Waits for the peer's end before it closes its own.
  hasty,  // Lets go of the connection when all is written, whatever the peer still sends.
  abort,  // Aborts once so much has gone either way.
};

// What an end does; all drawn from a seed.
struct Plan {
  std::uint32_t octets = 0;                                  // To write, all told.
  std::uint32_t longest_write = 1460, longest_read = 65536;  // Octets a call.
  Duration write_pause{}, read_pause{};                      // At the most, between calls.
  double urgent = 0;                                         // Probability that a write is urgent.
  Ending ending = Ending::first;
  std::uint32_t abort_after = 0;  // Octets, for Ending::abort.
  std::uint64_t stream = 0;       // Names what is written: see octet_of.
};

// The octet at an offset of a stream.
[[nodiscard]] std::byte octet_of(std::uint64_t stream, std::uint64_t offset);

enum class Outcome : std::uint8_t {
  none,      // Still at it.
  complete,  // It has written all, and read to the peer's end.
  left,      // It let go or aborted, as planned.
  failed,    // The stack reported an error.
};

class End {
 public:
  End(const Plan& plan, std::uint64_t peers_stream, std::uint64_t seed)
      : plan_(plan), peers_stream_(peers_stream), random_(seed) {}

  // The connection stands, or is being opened.
  void attach(Stack& stack, ConnectionId id) { stack_ = &stack, id_ = id; }
  void open() { open_ = true; }
  void fail(Error error);
  // Goes on as far as it can; returns when it wants to go on, `never`: with the next notice.
  Instant run(Instant now);

  [[nodiscard]] bool attached() const { return stack_ != nullptr; }
  [[nodiscard]] bool is_open() const { return open_; }
  [[nodiscard]] ConnectionId id() const { return id_; }
  [[nodiscard]] Stack* stack() const { return stack_; }
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] Outcome outcome() const { return outcome_; }
  [[nodiscard]] Error error() const { return error_; }
  [[nodiscard]] std::uint64_t written() const { return written_; }
  [[nodiscard]] std::uint64_t read() const { return read_; }
  [[nodiscard]] bool saw_end() const { return saw_end_; }
  [[nodiscard]] bool closed_sending() const { return closed_sending_; }
  [[nodiscard]] Instant progress() const { return progress_; }  // When it last got on.
  // What it saw that must not be; empty: nothing.
  [[nodiscard]] const std::string& violation() const { return violation_; }

 private:
  void write(Instant now);
  void read(Instant now);
  void leave(Instant now);
  [[nodiscard]] Duration pause(Duration most);
  [[nodiscard]] bool wants_to_write() const { return written_ < plan_.octets; }

  Plan plan_;
  std::uint64_t peers_stream_;
  Random random_;
  Stack* stack_ = nullptr;
  ConnectionId id_;
  bool open_ = false, saw_end_ = false, closed_sending_ = false;
  bool write_blocked_ = false, read_blocked_ = false;
  Outcome outcome_ = Outcome::none;
  Error error_ = Error::none;
  std::uint64_t written_ = 0, read_ = 0;
  Instant next_write_{}, next_read_{}, progress_{};
  std::string violation_;
};

}  // namespace estab::sim
