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
    : key_(derive(key, 0)), source_(source), config_(config), known_(derive(key, 1)) {
  listeners_.reserve(listeners.size() + 1);
  detectors_.reserve(listeners.size() + 1);
  add_listener(Endpoint{});
  for (const auto& listener : listeners) add_listener(listener);
}

void FloodWatch::add_listener(const Endpoint& listener) {
  listeners_.push_back(listener);
  detectors_.emplace_back(source_, listener, config_);
}

void FloodWatch::replace_listener(std::size_t detector, const Endpoint& listener) {
  listeners_[detector] = listener;
  detectors_[detector] = FloodDetector{source_, listener, config_};
  find_next();
}

std::size_t FloodWatch::find(const Endpoint& local) const {
  std::size_t any = 0;
  if (local.port == Port{}) return any;  // Nobody listens there; a place without a listener has it.
  for (std::size_t i = 1; i < listeners_.size(); ++i) {
    const auto& [address, port] = listeners_[i];
    if (port != local.port) continue;
    if (address == local.address) return i;
    // One of any address of the same family before one of both.
    if (address.is_unspecified() && (any == 0 || address.is_v4() == local.address.is_v4())) any = i;
  }
  return any;
}

FloodDetector* FloodWatch::detector_of(const Endpoint& listener) {
  if (listener == Endpoint{}) return &detectors_[0];
  const auto i = find(listener);
  return i == 0 ? nullptr : &detectors_[i];
}

Sighting FloodWatch::sight(const HandshakeObservation& observation) const {
  Sighting sighting{.observation = observation};
  const auto& source = observation.flow.remote.address;
  const auto step = observation.step;
  sighting.flow_hash = hash_flow(key_, observation.flow);
  if (step == HandshakeStep::syn || step == HandshakeStep::completed)
    sighting.source_hash = siphash(key_, as_bytes(source.octets()));
  if (step == HandshakeStep::syn || step == HandshakeStep::client_data)
    sighting.prefix_hash = known_.hash(source);
  if (step == HandshakeStep::syn) sighting.known = known_.contains_hash(sighting.prefix_hash);
  return sighting;
}

void FloodWatch::observe(const Sighting& sighting, std::size_t detector) {
  const auto& [at, step, flow] = sighting.observation;
  if (step == HandshakeStep::client_data) known_.add_hash(sighting.prefix_hash, at);
  detectors_[0].observe(sighting);
  if (detector > 0) detectors_[detector].observe(sighting);
  // One that begins now is not due before those that began earlier.
  if (at >= next_ || next_ == never) find_next();
}

void FloodWatch::observe(const Endpoint& listener, const HandshakeGauges& gauges) {
  if (auto* detector = detector_of(listener)) detector->observe(gauges);
  find_next();
}

void FloodWatch::observe(const Endpoint& listener, const HandshakeTally& tally) {
  if (auto* detector = detector_of(listener)) detector->observe(tally);
  find_next();
}

void FloodWatch::find_next() {
  next_ = never;
  for (const auto& detector : detectors_) next_ = std::min(next_, detector.next_deadline());
}

}  // namespace estab::observe
