// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/handshake_record.hpp"

#include <algorithm>

namespace estab::observe {
namespace {

Milliseconds between(Instant from, Instant to, std::uint32_t most) {
  const auto passed = std::chrono::floor<std::chrono::milliseconds>(to - from).count();
  return Milliseconds{std::uint32_t(std::clamp<std::int64_t>(passed, 0, most))};
}

}  // namespace

void HandshakeRecord::add(HandshakeStep step, Instant at) {
  steps_ |= std::uint8_t(1u << unsigned(step));
  if (size_ < moments_.size()) ++size_;
  const auto after = between(since_, at, (Packed{1} << time_bits) - 1);
  moments_[size_ - 1u] = Packed(step) << time_bits | after.count();
}

SeenHandshake HandshakeRecord::seen(Instant now) const {
  SeenHandshake seen{.flow = flow_, .age = between(since_, now, ~std::uint32_t{0}), .moments = {}};
  seen.moments.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i)
    seen.moments.push_back({HandshakeStep(moments_[i] >> time_bits),
                            Milliseconds{moments_[i] & ((Packed{1} << time_bits) - 1)}});
  return seen;
}

}  // namespace estab::observe
