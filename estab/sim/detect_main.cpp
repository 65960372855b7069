// SPDX-License-Identifier: Apache-2.0
// estab_detect: the flood detector before seeded traffic, as a table. It fails where an event that
// is no attack was called one, or a flood was not named rightly within 12 s.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "estab/sim/syn_scenarios.hpp"
#include "estab/sim/syn_trial.hpp"

namespace {

using namespace estab;
using observe::Verdict;

struct Arguments {
  std::uint64_t seed = 1;
  unsigned seeds = 12;
  bool held_out = false, all = false, words = false, list = false;
  std::string scenario, source = "listener";
  sim::SynTrialConfig trial;
};

const std::map<std::string, sim::SynView> views{{"listener", sim::SynView::listener},
                                                {"towards-server", sim::SynView::towards_server},
                                                {"kernel", sim::SynView::kernel}};

void declare(CLI::App& app, Arguments& a) {
  app.add_option("--seed", a.seed, "The first seed")->capture_default_str();
  app.add_option("--seeds", a.seeds, "Trials of each scenario, one a seed")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  app.add_flag("--held-out", a.held_out, "The scenarios that no parameter was chosen by");
  app.add_flag("--all", a.all, "Both lists");
  app.add_option("--scenario", a.scenario, "This one alone");
  app.add_flag("--list", a.list, "Name the scenarios");
  app.add_flag("--words", a.words, "Print each verdict that differs from the second before");
  app.add_option("--source", a.source,
                 "Who tells: listener (whose bounds these are), towards-server or kernel")
      ->capture_default_str()
      ->check([](const std::string& name) {
        return views.contains(name) ? std::string()
                                    : "it is listener, towards-server or kernel, not " + name;
      });
}

std::vector<sim::SynScenario> wanted(const Arguments& a) {
  std::vector<sim::SynScenario> list;
  const auto take = [&](std::vector<sim::SynScenario> more) {
    for (auto& scenario : more)
      if (a.scenario.empty() || a.scenario == scenario.name) list.push_back(std::move(scenario));
  };
  const bool both = a.all || !a.scenario.empty() || (a.list && !a.held_out);
  if (!a.held_out || both) take(sim::syn_scenarios());
  if (a.held_out || both) take(sim::held_out_syn_scenarios());
  return list;
}

std::string share(unsigned part, unsigned whole) {
  return fmt::format("{:.0f} %", 100.0 * part / std::max(whole, 1u));
}

std::string delay(const sim::SynScore& score) {
  if (score.delays.empty()) return "-";
  const auto seconds = [](Duration d) { return std::chrono::duration<double>(d).count(); };
  return fmt::format("{:.1f} ({:.1f})", seconds(score.delays[score.delays.size() / 2]),
                     seconds(score.delays.back()));
}

// The event's seconds by verdict, the most frequent first.
std::string verdicts(const sim::SynScore& score) {
  std::vector<std::pair<unsigned, Verdict>> order;
  unsigned sum = 0;
  for (unsigned v = 0; v < observe::verdicts; ++v) {
    sum += score.seconds[v];
    if (score.seconds[v] > 0) order.push_back({score.seconds[v], Verdict(v)});
  }
  std::ranges::sort(order, std::greater<>{});
  std::string text;
  for (const auto& [seconds, verdict] : order)
    text +=
        fmt::format("{}{} {}", text.empty() ? "" : ", ", to_string(verdict), share(seconds, sum));
  return text;
}

std::string bound(const sim::SynScore& score) {
  return !score.broken.empty() ? "BROKEN" : score.bounded ? "holds" : "none";
}

void print_row(const sim::SynScore& s) {
  const bool event = s.expected != Verdict::quiet;
  fmt::print("{:<48} {:>6} {:>6} {:>12} {:>6} {:>6}  {:<6}  {}\n", s.name,
             share(s.attacks, s.trials), event ? share(s.named, s.trials) : "-", delay(s),
             share(s.warned, s.trials), share(s.overflowed, s.trials), bound(s), verdicts(s));
}

// Prints a line where the verdict changes.
auto teller() {
  return [last = Verdict::quiet](const observe::FloodReport& report) mutable {
    if (report.verdict == last) return;
    last = report.verdict;
    const std::chrono::duration<double> at = report.evidence.until.time_since_epoch();
    fmt::print("  {:>6.1f} s  {}\n", at.count(), report.in_words());
  };
}

sim::SynScore try_scenario(const Arguments& a, const sim::SynScenario& scenario) {
  sim::SynScore score{
      .name = scenario.name, .expected = scenario.expected, .bounded = scenario.bounded};
  for (auto seed = a.seed; seed < a.seed + a.seeds; ++seed) {
    auto config = a.trial;
    if (a.words) {
      fmt::print("{}, seed {}\n", scenario.name, seed);
      config.on_report = teller();
    }
    add(score, scenario, run_syn_trial(scenario, seed, config), seed);
  }
  return score;
}

int run(const Arguments& a) {
  const auto scenarios = wanted(a);
  if (a.list) {
    for (const auto& scenario : scenarios) fmt::print("{}\n", scenario.name);
    return 0;
  }
  if (scenarios.empty()) {
    fmt::print(stderr, "estab_detect: no scenario is called '{}'; --list names them\n", a.scenario);
    return 2;
  }
  if (!a.words)
    fmt::print("{:<48} {:>6} {:>6} {:>12} {:>6} {:>6}  {:<6}  {}\n", "scenario", "alarm", "named",
               "after s", "warn", "full", "bound", "seconds of the event by verdict");
  std::vector<std::string> broken;
  for (const auto& scenario : scenarios) {
    const auto score = try_scenario(a, scenario);
    if (!a.words) print_row(score);
    broken.insert(broken.end(), score.broken.begin(), score.broken.end());
  }
  fmt::print("{} scenarios, {} seeds each: {} bounds broken\n", scenarios.size(), a.seeds,
             broken.size());
  for (const auto& line : broken) fmt::print("  {}\n", line);
  return broken.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{
      "The flood detector before seeded traffic: floods, crowds and troubles of every day"};
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) { return app.exit(error) == 0 ? 0 : 2; }
  arguments.trial.view = views.at(arguments.source);
  return run(arguments);
}
