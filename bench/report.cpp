// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <thread>

namespace estab::bench {
namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

// The commit of the tree that the program was built from, with "-dirty" where it was changed.
std::string commit() {
  constexpr auto command = "git -C '" ESTAB_SOURCE_DIR "' describe --always --dirty 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command, "r"), ::pclose);
  std::array<char, 80> line{};
  if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "unknown";
  const std::string text = line.data();
  return text.substr(0, text.find('\n'));
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

// Four digits that count, with an eye to reading them: 12.34, 1,234,567.
std::string figure(double value) {
  if (value < 1000) return fmt::format("{:.{}f}", value, value < 10 ? 3 : value < 100 ? 2 : 1);
  const auto digits = fmt::format("{:.0f}", value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

boost::json::object machine() {
  utsname system{};
  ::uname(&system);
  return {{"processor", processor()},
          {"cores", std::thread::hardware_concurrency()},
          {"kernel", std::string(system.sysname) + " " + system.release},
          {"compiler", compiler()},
          {"flags", ESTAB_BUILD_FLAGS},
          {"commit", commit()}};
}

void print_machine(const boost::json::object& machine, unsigned rounds) {
  for (const auto& [key, value] : machine)
    if (value.is_string())
      fmt::print("{:10} {}\n", std::string_view(key), std::string_view(value.get_string()));
    else fmt::print("{:10} {}\n", std::string_view(key), value.to_number<int>());
  fmt::print("{:10} {}, the candidates in turns; ratio: median of the rounds' ratios\n\n", "rounds",
             rounds);
}

void print_head() {
  fmt::print("{:<27}{:<12}{:>11}{:>11}{:>11}  {}\n", "row", "who", "median", "min", "max",
             "unit, ratio of the first to this one");
}

void print(const Row& row, std::span<const Result> results) {
  for (const auto& result : results) {
    const bool first = &result == &results.front();
    fmt::print("{:<27}{:<12}", first ? row.name : "", result.who);
    if (!result.skipped.empty()) {
      fmt::print("skipped: {}\n", result.skipped);
      continue;
    }
    const auto [min, max] = std::ranges::minmax(result.samples);
    fmt::print("{:>11}{:>11}{:>11}  {}", figure(median(result.samples)), figure(min), figure(max),
               row.unit);
    if (const auto& ratios = results.front().ratios; ratios.contains(result.who))
      fmt::print(", {:.2f}", ratios.at(result.who));
    fmt::print("\n");
    if (!result.note.empty()) fmt::print("{:<27}{:<12}  ({})\n", "", "", result.note);
  }
  std::fflush(stdout);
}

void append(boost::json::array& rows, const Row& row, std::span<const Result> results) {
  for (const auto& result : results) {
    boost::json::object object{{"name", row.name}, {"who", result.who}, {"unit", row.unit}};
    if (!result.skipped.empty()) {
      object["skipped"] = result.skipped;
    } else {
      const auto [min, max] = std::ranges::minmax(result.samples);
      object["median"] = median(result.samples);
      object["min"] = min;
      object["max"] = max;
      object["samples"] = boost::json::array(result.samples.begin(), result.samples.end());
    }
    boost::json::object ratios;
    for (const auto& [who, ratio] : result.ratios) ratios[who] = ratio;
    object["ratios"] = std::move(ratios);
    object["settings"] = row.settings;
    if (!result.note.empty()) object["note"] = result.note;
    rows.push_back(std::move(object));
  }
}

}  // namespace estab::bench
