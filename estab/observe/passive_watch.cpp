// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/passive_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace estab::observe {
namespace {

// One secret, two tables.
HashKey derive(const HashKey& key) {
  constexpr std::array<std::uint8_t, 2> low{2, 0}, high{2, 1};
  return {siphash(key, as_bytes(low)), siphash(key, as_bytes(high))};
}

}  // namespace

PassiveWatch::PassiveWatch(const HashKey& key, OnReport on_report, const PassiveWatchConfig& config)
    : listeners_(config.listeners),
      on_report_(std::move(on_report)),
      two_way_(
          std::make_unique<HandshakeBoard>(key, HandshakeSource::both_directions(), config.board)),
      one_way_(
          std::make_unique<HandshakeBoard>(key, HandshakeSource::towards_server(), config.board)),
      handshakes_(
          derive(key), [this](const HandshakeObservation& o) { observe(o); }, config.handshakes) {}

void PassiveWatch::packet(Instant at, Bytes kept, std::size_t size) {
  advance(at);
  handshakes_.packet(now_, kept, size);
}

void PassiveWatch::advance(Instant now) {
  now_ = std::max(now_, now);
  if (one_way_) {
    one_way_->advance(now_, on_report_);
    two_way_->advance(now_);
  } else {
    two_way_->advance(now_, on_report_);
  }
}

bool PassiveWatch::is_wanted(const Endpoint& local) const {
  return listeners_.empty() || std::ranges::any_of(listeners_, [&](const Endpoint& l) {
           return l.port == local.port &&
                  (l.address == local.address || l.address.is_unspecified());
         });
}

void PassiveWatch::observe(const HandshakeObservation& observation) {
  if (handshakes_.both_directions()) one_way_.reset();
  if (!is_wanted(observation.flow.local)) return;
  if (one_way_) one_way_->observe(observation);
  two_way_->observe(observation);
}

std::vector<std::string> PassiveWatch::notes() const {
  const auto& c = counts();
  std::vector<std::string> notes;
  if (c.syns > 0 && !both_directions())
    notes.push_back(
        "SYNs came by and no SYN-ACK: only the way to the server passes here, or it does not "
        "answer, which looks the same. Completions are taken for what they seem.");
  if (c.syns == 0 && c.syn_acks > 0)
    notes.push_back(
        "SYN-ACKs came by and no SYN: only the way from the server passes here, and from that "
        "nothing can be told.");
  if (const auto over = passed_over_in_words(c); !over.empty())
    notes.push_back(fmt::format("Passed over, of {} packets: {}.", c.packets, over));
  if (c.forgotten > 0)
    notes.push_back(fmt::format(
        "{} handshakes were forgotten before they ended, for want of room: some that completed "
        "may count as failed.",
        c.forgotten));
  return notes;
}

}  // namespace estab::observe
