// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/flood_watch.hpp"

#include <algorithm>

namespace estab::observe {
namespace {

// Keys of their own for different uses of one secret.
HashKey derive(const HashKey& key, std::uint8_t use) {
  const std::array<std::uint8_t, 2> low{use, 0}, high{use, 1};
  return {siphash(key, as_bytes(low)), siphash(key, as_bytes(high))};
}

std::uint64_t hash_flow(const HashKey& key, const Flow& flow) {
  std::array<std::byte, 36> message;
  std::memcpy(message.data(), flow.remote.address.octets().data(), 16);
  std::memcpy(message.data() + 16, flow.local.address.octets().data(), 16);
  store_be(message.data() + 32, number(flow.remote.port));
  store_be(message.data() + 34, number(flow.local.port));
  return siphash(key, message);
}

}  // namespace

FloodWatch::FloodWatch(const HashKey& key, const HandshakeSource& source,
                       std::span<const Endpoint> listeners, const FloodDetectorConfig& config)
    : key_(derive(key, 0)),
      source_(source),
      known_(derive(key, 1)),
      listeners_(listeners.begin(), listeners.end()) {
  detectors_.reserve(listeners.size() + 1);
  detectors_.emplace_back(source, Endpoint{}, config);
  for (const auto& listener : listeners) detectors_.emplace_back(source, listener, config);
}

FloodDetector* FloodWatch::detector_of(const Endpoint& local) {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    const auto& [address, port] = listeners_[i];
    if (port == local.port && (address.is_unspecified() || address == local.address))
      return &detectors_[i + 1];
  }
  return nullptr;
}

void FloodWatch::observe(const HandshakeObservation& observation) {
  Sighting sighting{.observation = observation};
  const auto& source = observation.flow.remote.address;
  const auto step = observation.step;
  sighting.flow_hash = hash_flow(key_, observation.flow);
  if (step == HandshakeStep::syn || step == HandshakeStep::completed)
    sighting.source_hash = siphash(key_, as_bytes(source.octets()));
  if (step == HandshakeStep::syn || step == HandshakeStep::client_data)
    sighting.prefix_hash = known_.hash(source);
  if (step == HandshakeStep::syn) sighting.known = known_.contains_hash(sighting.prefix_hash);
  if (step == HandshakeStep::client_data) known_.add_hash(sighting.prefix_hash, observation.at);
  detectors_[0].observe(sighting);
  if (auto* detector = detector_of(observation.flow.local)) detector->observe(sighting);
  // One that begins now is not due before those that began earlier.
  if (observation.at >= next_ || next_ == never) find_next();
}

void FloodWatch::observe(const Endpoint& listener, const HandshakeGauges& gauges) {
  auto* detector = listener == Endpoint{} ? &detectors_[0] : detector_of(listener);
  if (detector) detector->observe(gauges);
  find_next();
}

void FloodWatch::observe(const Endpoint& listener, const HandshakeTally& tally) {
  auto* detector = listener == Endpoint{} ? &detectors_[0] : detector_of(listener);
  if (detector) detector->observe(tally);
  find_next();
}

void FloodWatch::find_next() {
  next_ = never;
  for (const auto& detector : detectors_) next_ = std::min(next_, detector.next_deadline());
}

}  // namespace estab::observe
