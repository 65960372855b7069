// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/isn.hpp"

namespace estab::tcp {
namespace {

template <std::size_t size>
std::byte* put(std::byte* at, const Endpoint& endpoint) {
  std::memcpy(at, endpoint.address.octets().data() + 16 - size, size);
  store_be(at + size, number(endpoint.port));
  return at + size + 2;
}
template <std::size_t size>
std::size_t put(std::byte* at, const Flow& flow) {
  return std::size_t(put<size>(put<size>(at, flow.local), flow.remote) - at);
}

}  // namespace

// Both ends of a flow are of one family, so the number of octets tells which.
std::size_t put_flow(std::byte* at, const Flow& flow) {
  return flow.local.address.is_v4() ? put<4>(at, flow) : put<16>(at, flow);
}

std::uint64_t hash_flow(const HashKey& key, const Flow& flow) {
  std::byte tuple[most_flow_octets];
  return siphash(key, Bytes{tuple}.first(put_flow(tuple, flow)));
}

Seq active_isn(const HashKey& key, const Flow& flow, Instant now) {
  return Seq(std::uint32_t(hash_flow(key, flow)) + std::uint32_t(now.time_since_epoch() / 4us));
}

std::uint32_t timestamp_offset(const HashKey& key, const Flow& flow) {
  return std::uint32_t(hash_flow(key, flow));
}

}  // namespace estab::tcp
