// SPDX-License-Identifier: Apache-2.0
// estab_bench: measures estab beside its peers, prints a table and writes JSON.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/src.hpp>
#include <fstream>

#include "report.hpp"
#include "rows.hpp"

namespace {
using namespace estab::bench;

struct Arguments {
  std::vector<std::string> filters;
  std::string json, work;
  std::size_t count = 1;
  unsigned rounds = 5;
  bool quick = false, list = false;
};

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (auto* part : {memory_rows, syn_rows, bytes_rows, instruction_rows, tun_rows})
    for (auto& row : part()) rows.push_back(std::move(row));
  return rows;
}

bool matches(const Row& row, const std::string& filter) {
  return row.name.find(filter) != std::string::npos;
}

// Throws where a filter means no row.
std::vector<Row> choose(const std::vector<std::string>& filters) {
  auto rows = all_rows();
  for (const auto& filter : filters) {
    if (std::ranges::any_of(rows, [&](const Row& row) { return matches(row, filter); })) continue;
    std::string names;
    for (const auto& row : rows) names += "\n  " + row.name;
    throw std::invalid_argument("no row matches '" + filter +
                                "'; a filter is a part of one of these names:" + names);
  }
  if (!filters.empty())
    std::erase_if(rows, [&](const Row& row) {
      return std::ranges::none_of(filters, [&](const auto& f) { return matches(row, f); });
    });
  return rows;
}

void run(const Arguments& arguments, const std::vector<Row>& rows) {
  const Effort effort{.quick = arguments.quick};
  const unsigned rounds = arguments.quick ? 1 : arguments.rounds;
  boost::json::object report{{"machine", machine()}};
  report["settings"] = {{"rounds", rounds}, {"quick", arguments.quick}};
  print_machine(report["machine"].get_object(), rounds);
  print_head();
  boost::json::array lines;
  for (const auto& row : rows) {
    const auto results = measure(row, effort, rounds);
    print(row, results);
    append(lines, row, results);
  }
  report["rows"] = std::move(lines);
  if (arguments.json.empty()) return;
  std::ofstream file(arguments.json);
  file << boost::json::serialize(report) << '\n';
  if (!file.flush())
    throw std::runtime_error("cannot write " + arguments.json + "; is there room for it?");
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Measures estab beside its peers", "estab_bench"};
  app.add_option("FILTER", arguments.filters, "Parts of names of rows; none: all rows");
  app.add_option("--json", arguments.json, "Write the figures to this file as well");
  app.add_option("--rounds", arguments.rounds, "Samples of each candidate")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("--quick", arguments.quick, "Run everything once, briefly: it works, no more");
  app.add_flag("--list", arguments.list, "Print the names of the rows");
  app.add_option("--work", arguments.work)->group("");  // For instruction_rows().
  app.add_option("--count", arguments.count)->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) { return app.exit(error) == 0 ? 0 : 2; }
  std::vector<Row> rows;
  try {
    if (!arguments.work.empty()) return do_work(arguments.work, arguments.count), 0;
    rows = choose(arguments.filters);
    if (!arguments.json.empty() && !std::ofstream(arguments.json, std::ios::app))
      throw std::invalid_argument("cannot write to " + arguments.json + "; name another file");
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "estab_bench: {}\n", error.what());
    return 2;
  }
  try {
    if (arguments.list)
      for (const auto& row : rows) fmt::print("{}\n", row.name);
    else run(arguments, rows);
  } catch (const std::exception& error) {
    fmt::print(stderr, "estab_bench: {}\n", error.what());
    return 1;
  }
}
