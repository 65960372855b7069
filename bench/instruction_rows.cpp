// SPDX-License-Identifier: Apache-2.0
// Instructions a unit of work: this program is run by valgrind twice, once with more units, and
// the difference counts, so that start-up cancels out.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>

#include "rows.hpp"
#include "work.hpp"

namespace estab::bench {
namespace {

struct Counted {
  const char* name;
  const char* unit;
  std::unique_ptr<Work> (*make)();
};
constexpr std::array counted{
    Counted{"segment", "instructions/segment", [] { return bulk(false); }},
    Counted{"roundtrip", "instructions/round trip", [] { return round_trips(1); }},
    Counted{"connect-close", "instructions/connection", [] { return connections(); }},
    Counted{"syn-stateless", "instructions/SYN", [] { return syns(false); }},
    Counted{"syn-cache", "instructions/SYN", [] { return syns(true); }},
};

std::string own_path() {
  std::array<char, 4096> path{};
  const auto length = ::readlink("/proc/self/exe", path.data(), path.size());
  return length > 0 ? std::string(path.data(), std::size_t(length)) : "";
}

// Instructions of a whole run.
double instructions(const char* work, std::size_t count) {
  const auto command = fmt::format(
      "exec valgrind --tool=callgrind --callgrind-out-file=/dev/null "
      "'{}' --work {} --count {} 2>&1",
      own_path(), work, count);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 512> buffer{};
  double found = 0;
  while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
    const std::string_view line(buffer.data());
    constexpr std::string_view mark = "Collected : ";  // "==123== Collected : 456"
    if (const auto at = line.find(mark); at != line.npos)
      std::from_chars(line.data() + at + mark.size(), line.data() + line.size(), found);
  }
  if (found == 0) throw Skipped("valgrind is not installed, or cannot run this program");
  return found;
}

Sample measure_one(const char* work, const Effort& effort) {
  const std::size_t few = 1'000, many = effort.quick ? 2'000 : 9'000;
  return {(instructions(work, many) - instructions(work, few)) / double(many - few), {}};
}

}  // namespace

std::vector<Row> instruction_rows() {
  std::vector<Row> rows;
  for (const auto& one : counted)
    rows.push_back(
        {.name = std::string("instructions/") + one.name,
         .unit = one.unit,
         .settings = "the work of the memory row, both ends, counted by callgrind",
         .candidates = {{"estab",
                         [&one](const Effort& effort) { return measure_one(one.name, effort); }}},
         .counted = true});
  return rows;
}

void do_work(std::string_view name, std::size_t count) {
  for (const auto& one : counted)
    if (one.name == name) return one.make()->run(count);
  throw std::invalid_argument("there is no work named '" + std::string(name) + "'");
}

}  // namespace estab::bench
