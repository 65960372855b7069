// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_screen.hpp"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "estab/cli/canvas.hpp"
#include "estab/cli/watch_parts.hpp"
#include "tests/cli/scenario_source.hpp"

namespace estab::cli {
namespace {

using Lines = std::vector<std::string>;
using sim::SynView;

constexpr Endpoint web = sim::syn_traffic_listener;

WatchScene scene_of(test::ScenarioSource& source, const Endpoint& selected = web) {
  return {.pictures = source.pictures(),
          .source = source.name(),
          .notes = source.notes(),
          .selected = selected,
          .elapsed = 102s,
          .state = "",
          .keys = true};
}

WatchScene scene_at(std::string_view scenario, Duration moment, SynView view = SynView::listener) {
  test::ScenarioSource source{scenario, view};
  source.play_until(moment);
  return scene_of(source);
}

std::string text_of(const Lines& lines) { return fmt::format("{}\n", fmt::join(lines, "\n")); }

bool shows(const Lines& lines, std::string_view text) {
  return text_of(lines).find(text) != std::string::npos;
}

std::string without_colours(std::string_view line) {
  std::string plain;
  for (bool escape = false; const char c : line) {
    if (c == '\033') escape = true;
    if (!escape) plain += c;
    if (c == 'm') escape = false;
  }
  return plain;
}

void expect_fits(const WatchScene& scene, const WatchStyle& style) {
  const auto lines = watch_screen(scene, style);
  EXPECT_LE(lines.size(), style.height);
  for (const auto& line : lines)
    EXPECT_LE(columns_of(style.colour ? without_colours(line) : line), style.width) << line;
}

class WatchScreenOf : public testing::TestWithParam<const char*> {};

TEST_P(WatchScreenOf, FitsEverySizeAndSaysTheVerdict) {
  const auto scene = scene_at(GetParam(), 103s);
  const auto verdict = std::string(to_string(scene.pictures[0].verdict));
  for (const auto& [width, height] : {std::pair{80u, 24u}, {200u, 60u}, {40u, 10u}, {120u, 40u}})
    for (const bool utf8 : {true, false}) {
      const WatchStyle style{.width = width, .height = height, .utf8 = utf8};
      expect_fits(scene, style);
      const auto lines = watch_screen(scene, style);
      if (width >= 80) {
        EXPECT_TRUE(shows(lines, verdict)) << text_of(lines);
        for (const auto part : {"SYN/s", "Half-open", "Top prefixes", "Good handshake",
                                "Bad handshake", "under pressure", "quit"})
          EXPECT_TRUE(shows(lines, part)) << part << " in\n" << text_of(lines);
      } else {
        EXPECT_TRUE(shows(lines, "A larger window also shows")) << text_of(lines);
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, WatchScreenOf,
                         testing::Values("normal", "flood 2000/s", "crowd x10", "5 hosts 500/s",
                                         "application stops", "our egress dead"));

TEST(WatchScreen, NeverHasMoreLinesOrColumnsThanTheTerminal) {
  test::ScenarioSource source{"flood 300/s"};
  source.add("normal", SynView::listener, {*Address::parse("2001:db8::80"), Port{443}}, 3);
  source.notes_ = {"A note that says what this source cannot know, at some length."};
  source.play_until(100s);
  auto scene = scene_of(source);
  for (const bool help : {false, true})
    for (unsigned height = 1; height < 40; height += 1 + height / 8)
      for (unsigned width = 1; width < 210; width += 1 + width / 8) {
        scene.help = help;
        expect_fits(scene, {.width = width, .height = height, .utf8 = true, .colour = true});
        expect_fits(scene, {.width = width, .height = height, .utf8 = false});
      }
}

TEST(WatchScreen, WithoutUtf8AllIsAsciiAndWithoutColourNothingIsASequence) {
  const auto scene = scene_at("flood 300/s", 100s);
  for (const auto& line : watch_screen(scene, {.width = 100, .height = 40, .utf8 = false}))
    for (const char c : line) EXPECT_TRUE(' ' <= c && c <= '~') << line;
  EXPECT_TRUE(shows(watch_screen(scene, {.colour = true}), "\033[1;31m"));
}

TEST(WatchScreen, ColoursChangeNothingButColours) {
  const auto scene = scene_at("flood 300/s", 100s);
  const auto plain = watch_screen(scene, {});
  auto coloured = watch_screen(scene, {.colour = true});
  for (auto& line : coloured) {
    line = without_colours(line);
    line.erase(line.find_last_not_of(' ') + 1);
  }
  EXPECT_EQ(coloured, plain);
}

TEST(WatchScreen, AHandshakeThatCompletesGoesThroughTheStates) {
  const auto lines = watch_screen(scene_at("normal", 60s), {.width = 80, .height = 40});
  const auto text = text_of(lines);
  for (const auto part : {"CLOSED │             │ LISTEN", "SYN-SENT │──── SYN ───►│ SYN-RCVD",
                          "ESTAB │◄─ SYN,ACK ──│", "│──── ACK ───►│ ESTAB", "established after"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

TEST(WatchScreen, ABadOneSaysWhatBecameOfIt) {
  WatchScene scene = scene_at("normal", 60s);
  auto& picture = scene.pictures[0];
  const auto fate = [&](std::vector<observe::HandshakeMoment> moments, Milliseconds age) {
    picture.bad = observe::SeenHandshake{
        {web, {Address::v4(198, 51, 100, 7), Port{4444}}}, age, std::move(moments)};
    return text_of(watch_screen(scene, {.width = 120, .height = 40}));
  };
  using enum observe::HandshakeStep;
  const observe::HandshakeMoment asked{syn, 0ms}, answered{syn_ack, 0ms};
  picture.gauges.half_open_timeout = 15'000ms;
  EXPECT_NE(fate({asked, answered}, 12'000ms).find("no ACK for 12 s"), std::string::npos);
  EXPECT_NE(fate({asked, answered}, 16'000ms).find("no ACK came in 15 s: given up"),
            std::string::npos);
  EXPECT_NE(fate({asked}, 5000ms).find("dropped: no SYN,ACK was sent"), std::string::npos);
  const auto reset = fate({asked, answered, {client_reset, 80ms}}, 5000ms);
  EXPECT_NE(reset.find("reset by the client after 0.080 s"), std::string::npos);
  EXPECT_NE(reset.find("RST"), std::string::npos);
  EXPECT_NE(fate({asked, {left, 9000ms}}, 9500ms).find("left the queue after 9.0 s"),
            std::string::npos);
}

TEST(WatchScreen, ALongLadderLosesItsMiddle) {
  WatchScene scene = scene_at("normal", 60s);
  std::vector<observe::HandshakeMoment> moments{{observe::HandshakeStep::syn, 0ms}};
  for (unsigned i = 1; i < 12; ++i)
    moments.push_back({observe::HandshakeStep::syn_ack, Milliseconds{i * 1111}});
  scene.pictures[0].bad =
      observe::SeenHandshake{{web, {Address::v4(198, 51, 100, 7), Port{4444}}}, 15'000ms, moments};
  const auto lines = watch_screen(scene, {});
  EXPECT_TRUE(shows(lines, "steps more)")) << text_of(lines);
  EXPECT_TRUE(shows(lines, "12.22")) << "the last\n" << text_of(lines);
}

TEST(WatchScreen, WhatTheKernelDoesNotTellIsSaidAndNotDrawn) {
  const auto lines = watch_screen(scene_at("flood 300/s", 110s, SynView::kernel), {});
  EXPECT_TRUE(shows(lines, "this source does not see it")) << text_of(lines);
  EXPECT_TRUE(shows(lines, "counts the handshakes")) << text_of(lines);
  EXPECT_TRUE(shows(lines, "?\n"));
}

TEST(WatchScreen, TheSelectedListenerIsShownEvenOfMany) {
  WatchScene scene = scene_at("normal", 20s);
  for (unsigned i = 0; i < 40; ++i) {
    scene.pictures.push_back(scene.pictures[0]);
    scene.pictures.back().listener = {Address::v4(10, 0, 0, std::uint8_t(i)), Port{80}};
  }
  for (const auto selected : {0u, 5u, 40u}) {
    scene.selected = scene.pictures[selected].listener;
    const auto lines = watch_screen(scene, {});
    EXPECT_TRUE(shows(lines, "► " + scene.selected.to_string())) << text_of(lines);
    EXPECT_TRUE(shows(lines, "listeners more"));
  }
}

TEST(WatchScreen, BeforeTheFirstHandshakeItSaysSo) {
  EXPECT_TRUE(shows(watch_screen({}, {}), "No handshake was seen so far."));
  EXPECT_TRUE(watch_screen({}, {.width = 0}).empty());
}

TEST(WatchParts, NumbersAndTimesAreShort) {
  EXPECT_EQ(short_count(1870, 7), "1,870");
  EXPECT_EQ(short_count(18'704, 5), "18.7k");
  EXPECT_EQ(short_count(2'100'000, 4), "2.1M");
  EXPECT_EQ(short_count(999, 3), "999");
  EXPECT_EQ(short_time(80ms), "0.080 s");
  EXPECT_EQ(short_time(9990ms), "10.0 s");
  EXPECT_EQ(short_time(63'000ms), "63 s");
  EXPECT_EQ(short_time(180'000ms), "3 min");
}

TEST(Canvas, CutsAtItsEdgesAndMakesControlCharactersHarmless) {
  Canvas canvas{6, 2, true};
  const auto pane = canvas.pane();
  pane.put(0, 0, "a\033[2Jb");
  pane.put(4, 1, "│long");
  pane.put(0, 7, "below");
  EXPECT_EQ(canvas.lines(false), (Lines{"a?[2Jb", "    │l"}));
}

TEST(Canvas, TextIsWrappedAtBlanksAndClippedWithASign) {
  EXPECT_EQ(wrap_text("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap_text("onetwothree", 4), (Lines{"onet", "woth", "ree"}));
  EXPECT_EQ(clip_text("handshake", 6, true), "hands…");
  EXPECT_EQ(clip_text("handshake", 6, false), "hands.");
  EXPECT_EQ(clip_text("hand", 6, true), "hand");
}

}  // namespace
}  // namespace estab::cli
