// SPDX-License-Identifier: Apache-2.0
#include "estab/fault/path.hpp"

#include <algorithm>

namespace estab::fault {

FaultyPath::FaultyPath(const Impairment& impairment, std::uint64_t stream)
    : impairment_(impairment), random_(Random(impairment.seed + stream * 0x9e3779b97f4a7c15)()) {}

void FaultyPath::push(PacketPool& pool, Packet packet, Instant now) {
  ++counters_.pushed;
  if (random_.chance(impairment_.loss)) {
    ++counters_.lost;
    return;
  }
  if (random_.chance(impairment_.duplicate)) {
    if (Packet twin = pool.copy(packet)) {
      ++counters_.duplicated;
      enter(pool, std::move(twin), now);
    }
  }
  enter(pool, std::move(packet), now);
}

void FaultyPath::enter(PacketPool& pool, Packet packet, Instant now) {
  if (random_.chance(impairment_.corrupt) && corrupt(pool, packet)) ++counters_.corrupted;
  const auto departure = pass_bottleneck(packet.size(), now);
  if (!departure) {
    ++counters_.overflowed;
    return;
  }
  last_due_ = std::max(last_due_, *departure + draw_delay());
  Waiting waiting{std::move(packet), order_++, last_due_};
  if (!random_.chance(impairment_.reorder)) {
    line_.push_back(std::move(waiting));
    return;
  }
  ++counters_.reordered;
  const auto hold = Duration(1 + std::int64_t(random_.below(std::uint64_t(longest_hold.count()))));
  const auto overtakers = 1 + unsigned(random_.below(most_overtakers));
  held_.push_back({std::move(waiting), last_due_ + hold, overtakers});
}

bool FaultyPath::corrupt(PacketPool& pool, Packet& packet) {
  if (packet.size() == 0) return false;
  Packet twin = pool.copy(packet);  // What the packet shares with others must stay whole.
  if (!twin) return false;
  const auto bit = random_.below(twin.size() * 8);
  twin.linear()[bit / 8] ^= std::byte(1u << bit % 8);
  // Nobody can vouch for it any more: whoever takes it must verify it.
  twin.offload().checksum = Offload::Checksum::complete;
  packet = std::move(twin);
  return true;
}

// When the packet has passed the bottleneck; nothing where the queue in front of it is full.
std::optional<Instant> FaultyPath::pass_bottleneck(std::size_t octets, Instant now) {
  if (impairment_.rate == 0) return now;
  while (!departures_.empty() && departures_.front() <= now) departures_.pop_front();
  if (departures_.size() >= impairment_.queue) return std::nullopt;
  constexpr std::uint64_t second = 1'000'000'000;
  const auto transmission = Duration(std::int64_t(octets * 8 * second / impairment_.rate));
  last_departure_ = std::max(last_departure_, now) + transmission;
  departures_.push_back(last_departure_);
  return last_departure_;
}

Duration FaultyPath::draw_delay() {
  const auto jitter = impairment_.jitter.count();
  if (jitter == 0) return impairment_.delay;
  const auto offset = std::int64_t(random_.below(2 * std::uint64_t(jitter) + 1)) - jitter;
  return std::max(impairment_.delay + Duration(offset), Duration{});
}

std::optional<Packet> FaultyPath::pop(Instant now) {
  const auto ripe = [&](const Held& held) { return held.deadline() <= now; };
  if (const auto held = std::ranges::find_if(held_, ripe); held != held_.end()) {
    Waiting leaving = std::move(*held);
    held_.erase(held);
    return deliver(std::move(leaving));
  }
  if (line_.empty() || line_.front().due > now) return std::nullopt;
  Waiting leaving = std::move(line_.front());
  line_.pop_front();
  return deliver(std::move(leaving));
}

Packet FaultyPath::deliver(Waiting&& leaving) {
  for (auto& held : held_)
    if (held.order < leaving.order && held.overtakers > 0) --held.overtakers;
  ++counters_.delivered;
  return std::move(leaving.packet);
}

Instant FaultyPath::next_deadline() const {
  Instant deadline = line_.empty() ? never : line_.front().due;
  for (const auto& held : held_) deadline = std::min(deadline, held.deadline());
  return deadline;
}

}  // namespace estab::fault
