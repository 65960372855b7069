// SPDX-License-Identifier: Apache-2.0
#include "estab/link/faulty.hpp"

#include <algorithm>

#include "estab/link/cut.hpp"

namespace estab::link {

using enum Direction;

FaultyDevice::FaultyDevice(std::unique_ptr<Device> inner, const FaultyOptions& options)
    : inner_(std::move(inner)),
      sides_{Side{.path = fault::FaultyPath(options.inbound, std::to_underlying(inbound))},
             Side{.path = fault::FaultyPath(options.outbound, std::to_underlying(outbound))}} {}

void FaultyDevice::release(Direction direction, std::size_t count) {
  auto& at = side(direction);
  for (; count > 0 && at.held_count > 0; --count, --at.held_count)
    at.released.push_back(at.held.pop_front());
  if (!at.released.empty() && wake_) wake_();
}

void FaultyDevice::on_ready(std::function<void()> wake) {
  wake_ = wake;
  inner_->on_ready(std::move(wake));
}

std::size_t FaultyDevice::receive(PacketPool& pool, std::span<Packet> out, Instant now) {
  push_released(inbound, pool, now);
  push_released(outbound, pool, now);
  push_outbound(pool, now);
  pull_inbound(pool, now);
  std::size_t n = 0;
  while (n < out.size()) {
    auto packet = side(inbound).path.pop(now);
    if (!packet) break;
    out[n++] = std::move(*packet);
  }
  return n;
}

void FaultyDevice::transmit(PacketPool& pool, Packet packet, Instant now) {
  enter(outbound, pool, std::move(packet), now);
  push_outbound(pool, now);
}

void FaultyDevice::enter(Direction direction, PacketPool& pool, Packet packet, Instant now) {
  auto& at = side(direction);
  PacketList segments;
  dropped_ += cut(pool, std::move(packet), segments);
  while (!segments.empty()) {
    Packet segment = segments.pop_front();
    switch (filter_ ? filter_(direction, segment) : FilterVerdict::pass) {
      case FilterVerdict::pass: at.path.push(pool, std::move(segment), now); break;
      case FilterVerdict::hold:
        at.held.push_back(std::move(segment));
        ++at.held_count;
        break;
      case FilterVerdict::drop: ++at.filtered; break;
    }
  }
}

void FaultyDevice::push_released(Direction direction, PacketPool& pool, Instant now) {
  auto& at = side(direction);
  while (!at.released.empty()) at.path.push(pool, at.released.pop_front(), now);
}

void FaultyDevice::pull_inbound(PacketPool& pool, Instant now) {
  const auto n = inner_->receive(pool, batch_, now);
  inner_has_more_ = n == batch_.size();
  for (std::size_t i = 0; i < n; ++i) enter(inbound, pool, std::move(batch_[i]), now);
}

void FaultyDevice::push_outbound(PacketPool& pool, Instant now) {
  while (inner_->ready()) {
    auto packet = side(outbound).path.pop(now);
    if (!packet) break;
    inner_->transmit(pool, std::move(*packet), now);
  }
}

Instant FaultyDevice::next_deadline() const {
  constexpr Instant at_once{};
  if (inner_has_more_ || !side(inbound).released.empty() || !side(outbound).released.empty())
    return at_once;
  auto deadline = std::min(inner_->next_deadline(), side(inbound).path.next_deadline());
  // What waits for an inner device that is not ready waits for it, not for the clock.
  if (inner_->ready()) deadline = std::min(deadline, side(outbound).path.next_deadline());
  return deadline;
}

}  // namespace estab::link
