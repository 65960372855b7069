// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/isn.hpp"

namespace estab::tcp {
namespace {

Seq clocked(std::uint64_t hash, Instant now) {
  return Seq(std::uint32_t(hash) + std::uint32_t(now.time_since_epoch() / 4us));
}

std::byte* put(std::byte* at, const Endpoint& endpoint) {
  std::memcpy(at, endpoint.address.octets().data(), 16);
  store_be(at + 16, number(endpoint.port));
  return at + 18;
}

}  // namespace

std::uint64_t hash_flow(const HashKey& key, const Flow& flow) {
  std::byte tuple[36];
  put(put(tuple, flow.local), flow.remote);
  return siphash(key, tuple);
}

Seq active_isn(const HashKey& key, const Flow& flow, Instant now) {
  return clocked(hash_flow(key, flow), now);
}

Seq passive_isn(const HashKey& key, const PassiveOpen& open, Instant now) {
  return clocked(hash_flow(key, open.flow), now);
}

std::uint32_t timestamp_offset(const HashKey& key, const Flow& flow) {
  return std::uint32_t(hash_flow(key, flow));
}

}  // namespace estab::tcp
