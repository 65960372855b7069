// SPDX-License-Identifier: Apache-2.0
// The program runs, prints every row that needs nothing of the system, writes JSON that parses,
// and the byte budgets hold. No figure of time is judged.
#include <gtest/gtest.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/src.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace {
namespace json = boost::json;

struct Outcome {
  int status;
  std::string output;
};

Outcome run(const std::string& arguments) {
  FILE* pipe = ::popen((ESTAB_BENCH " " + arguments + " 2>&1").c_str(), "r");
  std::string output;
  std::array<char, 4096> part{};
  while (const auto n = std::fread(part.data(), 1, part.size(), pipe))
    output.append(part.data(), n);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

json::value read_json(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return json::parse(text.str());
}

// The figure of estab, or of whoever is named, in the row.
double median(const json::value& report, std::string_view name, std::string_view who = "estab") {
  for (const auto& row : report.at("rows").as_array())
    if (row.at("name").as_string() == name && row.at("who").as_string() == who)
      return row.at("median").to_number<double>();
  ADD_FAILURE() << "no row " << name << " of " << who;
  return 0;
}

class Bench : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto path = testing::TempDir() + "estab_bench_smoke.json";
    result = run("--quick memory bytes --json " + path);
    ASSERT_EQ(result.status, 0) << result.output;
    report = read_json(path);
    std::filesystem::remove(path);
  }
  static inline Outcome result;
  static inline json::value report;
};

TEST_F(Bench, EveryRowOfMemoryIsPrintedAndWrittenWithAFigure) {
  for (const auto* name : {"memory/bulk/mss1460", "memory/bulk/super", "memory/roundtrip/1B",
                           "memory/roundtrip/100B", "memory/connect-close", "memory/segment-ns"}) {
    EXPECT_NE(result.output.find(name), std::string::npos) << result.output;
    EXPECT_GT(median(report, name), 0);
  }
}

TEST_F(Bench, TheMachineAndTheSettingsAreNamed) {
  for (const auto* key : {"processor", "cores", "kernel", "compiler", "flags", "commit"})
    EXPECT_TRUE(report.at("machine").as_object().contains(key)) << key;
  for (const auto& row : report.at("rows").as_array())
    EXPECT_FALSE(row.at("settings").as_string().empty());
}

TEST_F(Bench, AnIdleConnectionCostsAtMost512BytesAnEnd) {
  EXPECT_LE(median(report, "bytes/idle-connection"), 512);
}

TEST_F(Bench, AHalfOpenRecordIsAtMost96Bytes) {
  EXPECT_LE(median(report, "bytes/half-open", "record"), 96);
  EXPECT_GE(median(report, "bytes/half-open"), median(report, "bytes/half-open", "record"));
}

TEST_F(Bench, ATimeWaitRecordIsAtMost64Bytes) {
  EXPECT_LE(median(report, "bytes/time-wait", "record"), 64);
  EXPECT_GE(median(report, "bytes/time-wait"), median(report, "bytes/time-wait", "record"));
}

TEST(BenchArguments, AFilterThatMeansNothingSaysWhatExistsAndExits2) {
  const auto nonsense = run("no-such-row");
  EXPECT_EQ(nonsense.status, 2);
  EXPECT_NE(nonsense.output.find("tun/connect-close"), std::string::npos) << nonsense.output;
}

TEST(BenchArguments, AFileThatCannotBeWrittenIsToldBeforeAnythingIsMeasured) {
  const auto refused = run("--quick bytes --json no/such/folder/figures.json");
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.output.find("median"), std::string::npos) << refused.output;
}

}  // namespace
