// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/handshake_board.hpp"

#include <algorithm>
#include <cassert>

namespace estab::observe {
namespace {

using enum HandshakeStep;

// How long one that ended is remembered, since its SYN.
constexpr Duration ended_kept = PrefixShare::window;
// A handshake failed that came to nothing by the time its cohort is judged.
constexpr Duration fails_after = std::chrono::seconds{judged_after};

std::int64_t second_of(Instant at) {
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}

bool has_failed(const HandshakeRecord& record, Instant now) {
  if (record.has(completed)) return false;
  return record.has(client_reset) || (record.is_open() && now - record.since() >= fails_after);
}

}  // namespace

HandshakeBoard::HandshakeBoard(const HashKey& key, const HandshakeSource& source,
                               const HandshakeBoardConfig& config)
    : config_(config),
      source_(source),
      watch_(key, source, {}, config.detector),
      sample_(config.sample) {
  assert(1 <= config.listeners && config.listeners < HandshakeSample::most_places);
  places_.reserve(config.listeners + 1);
  places_.emplace_back();
}

Instant HandshakeBoard::next_deadline() const {
  if (!begun_) return never;
  return std::min(watch_.next_deadline(), Instant{std::chrono::seconds{second_ + 1}});
}

void HandshakeBoard::roll(Instant now) {
  now_ = std::max(now_, now);
  const auto second = second_of(now_);
  if (!begun_) begun_ = true, second_ = second;
  if (second == second_) return;
  for (auto& place : places_) place.rates.end_second(second - second_ - 1);
  second_ = second;
  sweep();
}

Duration HandshakeBoard::timeout(std::size_t place) const {
  return places_[place].gauges.half_open_timeout.value_or(half_open_ages.back());
}

bool HandshakeBoard::is_half_open(const HandshakeRecord& record) const {
  return record.is_open() && (record.has(syn_ack) || !source_.answers);
}

// Forgets what is old, and finds the newest that failed.
void HandshakeBoard::sweep() {
  sample_.for_each([this](HandshakeSample::Entry& entry) {
    const auto& record = entry.record;
    const auto kept = record.is_open() ? std::max(timeout(entry.place), ended_kept) : ended_kept;
    if (has_failed(record, now_))
      for_both(entry.place, [&](Place& place) {
        if (!place.bad || place.bad->since() <= record.since()) place.bad = record;
      });
    if (now_ - record.since() >= kept) sample_.remove(entry);
  });
  sample_.recover();
}

template <class F> void HandshakeBoard::for_both(std::size_t place, F&& f) {
  f(places_[0]);
  if (place != nowhere) f(places_[place]);
}

void HandshakeBoard::observe(const HandshakeObservation& observation) {
  roll(observation.at);
  const auto place = place_of(observation);
  const auto sighting = watch_.sight(observation);
  watch_.observe(sighting, place);
  if (observation.step == HandshakeStep::syn) syn(sighting, place);
  else later_step(sighting, place);
}

void HandshakeBoard::observe(const Endpoint& listener, const HandshakeGauges& gauges) {
  roll(gauges.at);
  const bool busy = gauges.half_open.value_or(0) > 0 || gauges.accept_queue.value_or(0) > 0;
  const auto place = place_told(listener, busy);
  if (!place) return;
  places_[*place].gauges = gauges;
  watch_.observe(listener, gauges);
}

void HandshakeBoard::observe(const Endpoint& listener, const HandshakeTally& tally) {
  roll(tally.at);
  const auto place = place_told(listener, tally.completed > 0 || tally.unseen_syns > 0);
  if (!place) return;
  auto& current = places_[*place].rates.current();
  current.other_syns += tally.unseen_syns;
  current.completed += tally.completed;
  current.counted += tally.completed - std::min(tally.completed, tally.unseen_completed);
  watch_.observe(listener, tally);
}

void HandshakeBoard::set_mode(const Endpoint& listener, std::string_view mode) {
  if (const auto place = place_told(listener, false)) places_[*place].mode = mode;
}

// Of a source that does not tell answers, whatever SYNs come to may be a listener.
std::size_t HandshakeBoard::place_of(const HandshakeObservation& observation) {
  const auto& local = observation.flow.local;
  if (const auto place = watch_.find(local)) return place;
  const auto step = observation.step;
  const bool listens =
      step == syn_ack || step == completed || (step == HandshakeStep::syn && !source_.answers);
  return listens ? add_place(local) : nowhere;
}

// Nothing: there is no room. One that is not busy takes no other's.
std::optional<std::size_t> HandshakeBoard::place_told(const Endpoint& listener, bool busy) {
  if (listener == Endpoint{}) return nowhere;
  auto known = std::ranges::find(places_, listener, &Place::listener);
  std::size_t place = known == places_.end() ? nowhere : std::size_t(known - places_.begin());
  if (place == nowhere && listener.address.is_unspecified()) place = take_over(listener);
  if (place == nowhere && (busy || places_.size() <= config_.listeners))
    place = add_place(listener);
  if (place == nowhere) return {};
  places_[place].told = true;
  return place;
}

// What was found by flows to single addresses of the port, turns out to be one listener.
std::size_t HandshakeBoard::take_over(const Endpoint& listener) {
  std::size_t taken = nowhere;
  for (std::size_t i = 1; i < places_.size(); ++i) {
    if (places_[i].told || places_[i].listener.port != listener.port) continue;
    give_place(i, taken == nowhere ? listener : Endpoint{});
    if (taken == nowhere) taken = i;
  }
  return taken;
}

std::size_t HandshakeBoard::add_place(const Endpoint& listener) {
  const auto nobodys = std::find_if(places_.begin() + 1, places_.end(),
                                    [](const Place& p) { return p.listener == Endpoint{}; });
  if (nobodys == places_.end() && places_.size() <= config_.listeners) {
    watch_.add_listener(listener);
    places_.push_back({.listener = listener, .heard = now_});
    return places_.size() - 1;
  }
  auto found = nobodys;
  if (found == places_.end()) {
    found = std::ranges::min_element(places_.begin() + 1, places_.end(), {}, &Place::heard);
    if (now_ - found->heard < config_.silent) return nowhere;
  }
  const auto place = std::size_t(found - places_.begin());
  give_place(place, listener);
  return place;
}

void HandshakeBoard::give_place(std::size_t place, const Endpoint& listener) {
  watch_.replace_listener(place, listener);
  sample_.move_all(place, nowhere);
  places_[place] = {.listener = listener, .heard = now_};
}

void HandshakeBoard::syn(const Sighting& sighting, std::size_t place) {
  const auto& [at, step, flow] = sighting.observation;
  for_both(place, [this](Place& p) { p.heard = now_; });
  auto* entry = sample_.find(sighting.flow_hash);
  if (entry && entry->record.is_open()) {
    entry->record.add(syn_again, now_);
    for_both(place, [](Place& p) { ++p.rates.current().syns_again; });
    return;
  }
  if (entry) sample_.remove(*entry);
  const bool kept = sample_.add(sighting.flow_hash, flow, now_, place) != nullptr;
  for_both(place, [&](Place& p) {
    auto& current = p.rates.current();
    ++(kept ? current.first_syns : current.other_syns);
  });
}

void HandshakeBoard::later_step(const Sighting& sighting, std::size_t place) {
  const auto step = sighting.observation.step;
  auto* entry = sample_.find(sighting.flow_hash);
  const bool again = entry && step == completed && entry->record.has(completed);
  if (!again) count(place, step);
  if (entry == nullptr) return;
  if (entry->place != place && entry->place == nowhere) {
    sample_.move(*entry, place);
    // It is the listener's first.
    if (second_of(entry->record.since()) == second_) ++places_[place].rates.current().first_syns;
  }
  if (again || (step == client_data && entry->record.has(client_data))) return;
  entry->record.add(step, now_);
  keep_good_and_bad(entry->record, place, step);
}

void HandshakeBoard::count(std::size_t place, HandshakeStep step) {
  for_both(place, [step](Place& p) {
    auto& current = p.rates.current();
    if (step == syn_ack) ++current.answered;
    else if (step == completed) ++current.completed;
    else if (step == left) ++current.left;
  });
}

void HandshakeBoard::keep_good_and_bad(const HandshakeRecord& record, std::size_t place,
                                       HandshakeStep step) {
  const auto is_this = [&](const std::optional<HandshakeRecord>& other) {
    return other && other->since() == record.since() && other->flow() == record.flow();
  };
  for_both(place, [&](Place& p) {
    if (step == completed || is_this(p.good)) p.good = record;
    if (is_this(p.bad) || (step == client_reset && has_failed(record, now_))) p.bad = record;
    if (is_this(p.bad) && step == completed) p.bad.reset();  // Late, and yet.
  });
}

}  // namespace estab::observe
