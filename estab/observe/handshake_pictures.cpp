// SPDX-License-Identifier: Apache-2.0
// What a board shows of what it remembers.
#include <algorithm>
#include <span>
#include <tuple>

#include "estab/base/known_prefixes.hpp"
#include "estab/observe/handshake_board.hpp"

namespace estab::observe {
namespace {

using Histogram = std::array<std::uint64_t, half_open_ages.size() + 1>;

std::size_t age_class(Duration age) {
  return std::size_t(std::ranges::upper_bound(half_open_ages, age) - half_open_ages.begin());
}

// Numbers in the same shares, whose sum is the one told: the largest remainders are rounded up.
std::array<std::uint32_t, half_open_ages.size() + 1> scaled(
    const Histogram& counts, const std::optional<std::uint32_t>& told) {
  std::array<std::uint32_t, half_open_ages.size() + 1> result{};
  std::uint64_t sum = 0;
  for (const auto n : counts) sum += n;
  if (sum == 0) return result;
  const auto wanted = told.value_or(std::uint32_t(std::min<std::uint64_t>(sum, ~std::uint32_t{0})));
  std::array<std::pair<std::uint64_t, std::size_t>, half_open_ages.size() + 1> remainders;
  auto left = wanted;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    result[i] = std::uint32_t(counts[i] * wanted / sum);
    remainders[i] = {counts[i] * wanted % sum, i};
    left -= result[i];
  }
  std::ranges::sort(remainders, std::greater{});
  for (std::size_t i = 0; left > 0; ++i, --left) ++result[remainders[i].second];
  return result;
}

// Of one prefix, at one place.
struct Visit {
  Address prefix;
  std::uint8_t place = 0;
  std::uint64_t syns = 0, completed = 0;
};

void sum_up(std::vector<Visit>& visits) {
  const auto key = [](const Visit& v) { return std::tie(v.place, v.prefix); };
  std::ranges::sort(visits, {}, key);
  std::size_t last = 0;
  for (std::size_t i = 1; i < visits.size(); ++i) {
    if (key(visits[i]) != key(visits[last])) {
      visits[++last] = visits[i];
      continue;
    }
    visits[last].syns += visits[i].syns;
    visits[last].completed += visits[i].completed;
  }
  if (!visits.empty()) visits.resize(last + 1);
}

// Puts the busiest prefixes of what was summed up for one place at the front, and takes those.
std::vector<PrefixShare> busiest(std::span<Visit> visits) {
  const auto shown = std::min(visits.size(), ListenerPicture::prefixes_shown);
  const auto rank = [](const Visit& v) { return std::tuple(~v.syns, ~v.completed, v.prefix); };
  std::ranges::partial_sort(visits, visits.begin() + std::ptrdiff_t(shown), {}, rank);
  std::vector<PrefixShare> shares;
  for (const auto& v : visits.first(shown))
    shares.push_back({.prefix = {v.prefix, std::uint8_t(v.prefix.is_v4() ? 24 : 56)},
                      .syns = v.syns,
                      .completed = v.completed});
  return shares;
}

}  // namespace

struct HandshakeBoard::Tallies {
  Histogram half_open{};
  std::vector<PrefixShare> prefixes;
};

std::vector<HandshakeBoard::Tallies> HandshakeBoard::tally_sample() const {
  std::vector<Tallies> tallies(places_.size());
  std::vector<Visit> visits;
  visits.reserve(2 * sample_.size());
  sample_.for_each([&](const HandshakeSample::Entry& entry) {
    const auto& record = entry.record;
    const auto age = now_ - record.since();
    const bool young = age < PrefixShare::window;
    for (const auto place : {std::uint8_t{nowhere}, entry.place}) {
      if (is_half_open(record) && age < timeout(entry.place))
        tallies[place].half_open[age_class(age)] += entry.weight();
      if (young)
        visits.push_back({source_prefix(record.flow().remote.address), place, entry.weight(),
                          record.has(HandshakeStep::completed) ? entry.weight() : 0});
      if (entry.place == nowhere) break;
    }
  });
  sum_up(visits);
  for (auto rest = std::span{visits}; !rest.empty();) {
    const auto place = rest.front().place;
    const auto end = std::ranges::find_if(rest, [&](const Visit& v) { return v.place != place; });
    const auto size = std::size_t(end - rest.begin());
    tallies[place].prefixes = busiest(rest.first(size));
    rest = rest.subspan(size);
  }
  return tallies;
}

ListenerPicture HandshakeBoard::picture(std::size_t i, Tallies& tallies) const {
  const auto& place = places_[i];
  const auto& detector = watch_.detectors()[i];
  ListenerPicture picture{.listener = place.listener,
                          .source = source_,
                          .gauges = place.gauges,
                          .mode = place.mode,
                          .seconds = place.rates.seconds(),
                          .half_open = scaled(tallies.half_open, place.gauges.half_open),
                          .prefixes = std::move(tallies.prefixes),
                          .verdict = detector.report().verdict,
                          .lights = detector.lights(),
                          .words = detector.report().in_words(),
                          .good = {},
                          .bad = {}};
  if (place.good) picture.good = place.good->seen(now_);
  if (place.bad) picture.bad = place.bad->seen(now_);
  return picture;
}

std::vector<ListenerPicture> HandshakeBoard::pictures() const {
  auto tallies = tally_sample();
  std::vector<std::size_t> order;
  for (std::size_t i = 1; i < places_.size(); ++i)
    if (places_[i].listener != Endpoint{}) order.push_back(i);
  std::ranges::sort(order, {}, [this](std::size_t i) {
    return std::tuple(~places_[i].rates.syns(), places_[i].listener);
  });
  if (order.size() != 1) order.insert(order.begin(), 0);
  std::vector<ListenerPicture> pictures;
  pictures.reserve(order.size());
  for (const auto i : order) pictures.push_back(picture(i, tallies[i]));
  return pictures;
}

}  // namespace estab::observe
