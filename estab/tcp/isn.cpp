// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/isn.hpp"

namespace estab::tcp {
namespace {

std::byte* put(std::byte* at, const Endpoint& endpoint) {
  std::memcpy(at, endpoint.address.octets().data(), 16);
  store_be(at + 16, number(endpoint.port));
  return at + 18;
}

}  // namespace

void put_flow(std::byte* at, const Flow& flow) { put(put(at, flow.local), flow.remote); }

std::uint64_t hash_flow(const HashKey& key, const Flow& flow) {
  std::byte tuple[flow_octets];
  put_flow(tuple, flow);
  return siphash(key, tuple);
}

Seq active_isn(const HashKey& key, const Flow& flow, Instant now) {
  return Seq(std::uint32_t(hash_flow(key, flow)) + std::uint32_t(now.time_since_epoch() / 4us));
}

std::uint32_t timestamp_offset(const HashKey& key, const Flow& flow) {
  return std::uint32_t(hash_flow(key, flow));
}

}  // namespace estab::tcp
