// SPDX-License-Identifier: Apache-2.0
// estab_sim: worlds of a virtual network, one a seed. A seed that broke something is replayed by
// the line that is printed, with its capture and ladder if wanted.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "estab/observe/capture.hpp"
#include "estab/observe/ladder.hpp"
#include "estab/sim/world.hpp"

namespace {

using namespace estab;

struct Arguments {
  std::uint64_t seed = 1, seeds = 1;
  sim::WorldConfig world;
  std::string loss = "20%", duplicate = "20%", reorder = "20%", corrupt = "20%", capture;
  bool ladder = false, quiet = false;
};

void declare(CLI::App& app, Arguments& a) {
  app.add_option("--seed", a.seed, "The first world's seed")->capture_default_str();
  app.add_option("--seeds", a.seeds, "Worlds, one a seed")->capture_default_str();
  app.add_option("--connections", a.world.connections, "Connections a world")
      ->capture_default_str()
      ->check(CLI::Range(1, 20000));
  app.add_option("--nodes", a.world.nodes, "Stacks a world")
      ->capture_default_str()
      ->check(CLI::Range(2, 50));
  app.add_option("--octets", a.world.most_octets, "What one end writes at the most")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000000));
  app.add_option("--loss", a.loss, "Most packets lost, as 20% or 0.2")->capture_default_str();
  app.add_option("--duplicate", a.duplicate, "Most packets that come twice")->capture_default_str();
  app.add_option("--reorder", a.reorder, "Most packets overtaken")->capture_default_str();
  app.add_option("--corrupt", a.corrupt, "Most packets changed")->capture_default_str();
  app.add_option("--capture", a.capture, "Write the packets to this pcapng file");
  app.add_flag("--ladder", a.ladder, "Draw the connections as ladders");
  app.add_flag("--quiet", a.quiet, "Print violations and the sum alone");
}

std::string replay_line(const Arguments& a, std::uint64_t seed) {
  return fmt::format(
      "estab_sim --seed {} --connections {} --nodes {} --octets {} --loss {} "
      "--duplicate {} --reorder {} --corrupt {} --capture FILE --ladder",
      seed, a.world.connections, a.world.nodes, a.world.most_octets, a.loss, a.duplicate, a.reorder,
      a.corrupt);
}

// Feeds the capture and the ladder, where they are wanted.
class Observer {
 public:
  explicit Observer(const Arguments& a) {
    if (!a.capture.empty())
      capture_ = std::make_unique<observe::CaptureFile>(a.capture, observe::CaptureConfig{});
    if (a.ladder)
      ladder_ = std::make_unique<observe::Ladder>(
          observe::LadderStyle{.width = 120, .explain = true}, observe::Witness::both_ends,
          [](std::string_view line) { fmt::print("{}\n", line); });
  }
  [[nodiscard]] bool wanted() const { return capture_ || ladder_; }
  void event(const Event& event, Bytes packet) {
    // Both ends see each packet; a capture shows it once, where it is sent.
    if (capture_ && event.kind != EventKind::received && event.kind != EventKind::dropped)
      (void)capture_->event(event, packet);
    if (ladder_) ladder_->event(event, packet);
  }
  // False: the file could not be written.
  [[nodiscard]] bool finish() {
    if (ladder_) ladder_->flush();
    if (!capture_ || capture_->finish()) return true;
    fmt::print(stderr, "estab_sim: cannot write the capture: {}\n", capture_->error().message());
    return false;
  }

 private:
  std::unique_ptr<observe::CaptureFile> capture_;
  std::unique_ptr<observe::Ladder> ladder_;
};

int run(Arguments& a) {
  Observer observer{a};
  if (observer.wanted()) {
    a.world.keep = 65535;
    a.world.observe = [&](const Event& event, Bytes packet) { observer.event(event, packet); };
  }
  std::uint64_t complete = 0, left = 0, failed = 0, octets = 0, events = 0, violations = 0;
  for (std::uint64_t seed = a.seed; seed < a.seed + a.seeds; ++seed) {
    a.world.seed = seed;
    const auto result = sim::run_world(a.world);
    complete += result.complete, left += result.left, failed += result.failed;
    octets += result.octets, events += result.events;
    if (!a.quiet)
      fmt::print("seed {}: {} complete, {} left, {} failed; {} octets, {} events, {:.1f} s; {}\n",
                 seed, result.complete, result.left, result.failed, result.octets, result.events,
                 std::chrono::duration<double>(result.took).count(),
                 fault::to_string(result.impairment));
    if (result.violation.empty()) continue;
    ++violations;
    fmt::print("seed {}: VIOLATION: {}\n  replay: {}\n", seed, result.violation,
               replay_line(a, seed));
  }
  fmt::print(
      "{} worlds, {} connections: {} ends complete, {} left as planned, {} told of a failure; "
      "{} octets checked, {} events, {} violations\n",
      a.seeds, a.seeds * a.world.connections, complete, left, failed, octets, events, violations);
  return observer.finish() && violations == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"A virtual network of estab stacks on faulty paths, with every octet checked"};
  declare(app, arguments);
  CLI11_PARSE(app, argc, argv);
  const auto worst = fault::parse_impairment(
      fmt::format("loss={},duplicate={},reorder={},corrupt={}", arguments.loss, arguments.duplicate,
                  arguments.reorder, arguments.corrupt));
  if (!worst) {
    fmt::print(stderr, "estab_sim: {}\n", worst.error());
    return 2;
  }
  arguments.world.worst = *worst;
  return run(arguments);
}
