// SPDX-License-Identifier: Apache-2.0
// Work that can be done any number of times, timed by the processor time of its thread or counted
// in instructions.
#pragma once
#include <memory>
#include <string>

#include "measure.hpp"

namespace estab::bench {

class Work {
 public:
  virtual ~Work() = default;
  virtual void run(std::size_t count) = 0;
  [[nodiscard]] virtual std::string note() const { return {}; }
};

// Times a second of the thread's processor time, after a warm-up; at most `limit` times in all.
[[nodiscard]] double rate(Work& work, const Effort& effort, std::size_t limit = SIZE_MAX);

// One unit is a segment of 1,460 octets less the timestamps, or a super-segment of 64 KiB, on one
// connection: copied in, sent, received, copied out, acknowledged.
inline constexpr std::size_t mss_text = 1448, super_text = 65'160;
[[nodiscard]] std::unique_ptr<Work> bulk(bool super_segments);
// One unit is `octets` there and back, on one connection.
[[nodiscard]] std::unique_ptr<Work> round_trips(std::size_t octets);
// One unit is a connection: opened, an octet each way, closed by the client, left in TIME-WAIT.
[[nodiscard]] std::unique_ptr<Work> connections();
// One unit is a SYN of a flood, answered; by cookie alone, or through the SYN cache.
[[nodiscard]] std::unique_ptr<Work> syns(bool cache);

// The same on the kernel's sockets over lo, in a network namespace of its own.
[[nodiscard]] std::unique_ptr<Work> kernel_bulk(bool super_segments);
[[nodiscard]] std::unique_ptr<Work> kernel_round_trips(std::size_t octets);
[[nodiscard]] std::unique_ptr<Work> kernel_connections();

}  // namespace estab::bench
