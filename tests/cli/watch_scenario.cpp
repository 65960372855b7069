// SPDX-License-Identifier: Apache-2.0
// The watch on simulated traffic: watch_scenario SCENARIO [BEGIN [SPEED]] shows the scenario live,
// from its second BEGIN on. With --once, that moment as one page of 80 x 24.
#include <fmt/core.h>

#include <boost/asio/steady_timer.hpp>
#include <clocale>
#include <cstdlib>

#include "estab/cli/terminal.hpp"
#include "estab/cli/watch_view.hpp"
#include "tests/cli/scenario_source.hpp"

namespace estab::test {
namespace {

class Player final : public ScenarioSource {
 public:
  Player(boost::asio::io_context& io, std::string_view name, Duration begin, double speed)
      : ScenarioSource(name), timer_(io), moment_(begin), unit_(speed), speed_(speed) {
    add("normal", sim::SynView::listener, {Address::v4(192, 0, 2, 80), Port{25}}, 7);
    add("crowd x10", sim::SynView::listener, {*Address::parse("2001:db8::80"), Port{443}}, 8);
    play_until(begin);
    tick();
  }
  void play(double speed) override { speed_ = unit_ * speed; }
  [[nodiscard]] bool plays() const override { return true; }

 private:
  void tick() {
    timer_.expires_after(100ms);
    timer_.async_wait([this](boost::system::error_code cancelled) {
      if (cancelled) return;
      moment_ += std::chrono::duration_cast<Duration>(100ms * speed_);
      play_until(moment_);
      tick();
    });
  }

  boost::asio::steady_timer timer_;
  Duration moment_;
  double unit_, speed_;
};

}  // namespace
}  // namespace estab::test

int main(int argc, char** argv) try {
  std::setlocale(LC_ALL, "");
  const bool once = argc > 1 && std::string_view(argv[1]) == "--once";
  char** words = argv + once;
  const int left = argc - once;
  if (left < 2) throw std::runtime_error("usage: watch_scenario [--once] SCENARIO [BEGIN [SPEED]]");
  const auto begin = std::chrono::seconds{left > 2 ? std::atoi(words[2]) : 85};
  boost::asio::io_context io;
  estab::test::Player player{io, words[1], begin, left > 3 ? std::atof(words[3]) : 1};
  if (once) fmt::print("{}", estab::cli::watch_page(player, {}));
  else estab::cli::show_watch(io, player);
} catch (const std::exception& error) {
  fmt::print(stderr, "watch_scenario: {}\n", error.what());
  return 2;
}
