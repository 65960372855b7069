// SPDX-License-Identifier: Apache-2.0
#include "estab/sim/draw.hpp"

#include <cmath>

namespace estab::sim {

std::uint64_t draw_scale(Random& random, std::uint64_t low, std::uint64_t high) {
  const double ratio = double(high) / double(low);
  return std::uint64_t(double(low) * std::pow(ratio, random.unit()));
}

StackConfig draw_stack(Random& random) {
  StackConfig config;
  auto& tcp = config.tcp;
  tcp.timestamps = random.chance(0.8);
  tcp.sack = random.chance(0.8);
  tcp.window_scaling = random.chance(0.8);
  tcp.quick_acks = random.chance(0.5) ? 16 : 0;
  tcp.cwnd_idle_restart = random.chance(0.5);
  tcp.rst_ends_time_wait = random.chance(0.2);
  tcp.defaults.receive_buffer = std::uint32_t(draw_scale(random, 3000, 1 << 20));
  tcp.defaults.send_buffer = std::uint32_t(draw_scale(random, 3000, 1 << 20));
  tcp.defaults.nagle = random.chance(0.5);
  tcp.orphan_timeout = 24h;  // Some read a few octets a second; they are to have all of it.
  // An end whose peer has gone in silence must learn of it: only probes can tell.
  tcp.defaults.keep_alive = true;
  tcp.defaults.keep_alive_idle = std::chrono::seconds(20 + random.below(40));
  tcp.defaults.keep_alive_interval = 10s;
  tcp.defaults.keep_alive_probes = 5;
  tcp.defaults.keep_alive_octet = random.chance(0.1);
  return config;
}

fault::Impairment draw_impairment(Random& random, const fault::Impairment& worst) {
  const auto up_to = [&](double most) { return random.chance(0.3) ? 0 : most * random.unit(); };
  fault::Impairment drawn{.loss = up_to(worst.loss),
                          .duplicate = up_to(worst.duplicate),
                          .corrupt = up_to(worst.corrupt),
                          .reorder = up_to(worst.reorder)};
  if (random.chance(0.1)) drawn.loss = worst.loss;
  if (random.chance(0.8)) drawn.delay = Duration(draw_scale(random, 10'000, 300'000'000));
  if (random.chance(0.5)) drawn.jitter = drawn.delay / 3;
  if (random.chance(0.3)) {
    drawn.rate = draw_scale(random, 1'000'000, 1'000'000'000);
    drawn.queue = std::uint32_t(draw_scale(random, 20, 1000));
  }
  return drawn;
}

namespace {

Plan draw_plan(Random& random, std::uint32_t most_octets) {
  Plan plan;
  plan.octets = random.chance(0.1) ? 0 : std::uint32_t(draw_scale(random, 1, most_octets));
  // Small writes of much text would only take long.
  plan.longest_write = std::uint32_t(draw_scale(random, 1 + plan.octets / 100, 65536));
  plan.longest_read = std::uint32_t(draw_scale(random, 1 + plan.octets / 100, 65536));
  if (random.chance(0.3)) plan.write_pause = Duration(draw_scale(random, 1'000, 200'000'000));
  if (random.chance(0.3)) plan.read_pause = Duration(draw_scale(random, 1'000, 200'000'000));
  if (random.chance(0.1)) plan.urgent = 0.1;
  plan.stream = random();
  return plan;
}

Ending draw_ending(Random& random) {
  const auto lot = random.unit();
  return lot < 0.85 ? Ending::first : lot < 0.93 ? Ending::hasty : Ending::abort;
}

}  // namespace

Plans draw_plans(Random& random, std::uint32_t most_octets) {
  Plans plans{draw_plan(random, most_octets), draw_plan(random, most_octets)};
  plans.opener.ending = draw_ending(random);
  plans.peer.ending = draw_ending(random);
  if (random.chance(0.4)) (random.chance(0.5) ? plans.opener : plans.peer).ending = Ending::last;
  const auto all = std::uint64_t{plans.opener.octets} + plans.peer.octets;
  plans.opener.abort_after = std::uint32_t(random.below(all + 1));
  plans.peer.abort_after = std::uint32_t(random.below(all + 1));
  return plans;
}

}  // namespace estab::sim
