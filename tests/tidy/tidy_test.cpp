// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "checks.hpp"

namespace estab::tidy {
namespace {

const std::vector<File>& tree() {
  static const std::vector<File> files = files_of_tree(ESTAB_SOURCE_DIR);
  return files;
}

void expect_tidy(Findings (*check)(const File&)) {
  ASSERT_GT(tree().size(), 50u) << "the tree is not where it was";
  for (const auto& file : tree())
    for (const auto& finding : check(file)) ADD_FAILURE() << finding;
}

TEST(Tidy, EachFolderIncludesOnlyWhatItsRowNames) { expect_tidy(check_includes); }
TEST(Tidy, TheCoreKnowsNoClockAndNoEntropy) { expect_tidy(check_core_is_pure); }
TEST(Tidy, EverySourceNamesItsLicence) { expect_tidy(check_licence); }
TEST(Tidy, NoLineHasOver100Columns) { expect_tidy(check_columns); }
TEST(Tidy, NoFileHasOver500Lines) { expect_tidy(check_length); }
TEST(Tidy, NoFileNamesAPathOfOneMachine) { expect_tidy(check_machine_paths); }
TEST(Tidy, NothingIsLeftToDo) { expect_tidy(check_left_to_do); }

// The checks see what they look for.

std::size_t count(Findings (*check)(const File&), const char* path, const std::string& text) {
  return check({path, text}).size();
}

TEST(TidyChecks, AnIncludeAgainstTheLayersIsSeen) {
  const auto includes = [](const char* path, const char* header) {
    return count(check_includes, path, std::string("#include ") + header + "\n");
  };
  EXPECT_EQ(includes("estab/base/x.hpp", "\"estab/base/seq.hpp\""), 0u);
  EXPECT_EQ(includes("estab/stack/x.cpp", "\"estab/base/seq.hpp\""), 0u);
  EXPECT_EQ(includes("estab/base/x.hpp", "\"estab/event/reason.hpp\""), 1u);
  EXPECT_EQ(includes("estab/tcp/x.hpp", "\"estab/ip/route.hpp\""), 1u);
  EXPECT_EQ(includes("estab/tcp/x.hpp", "\"seq.hpp\""), 1u);
  EXPECT_EQ(includes("estab/tcp/x.hpp", "<vector>"), 0u);
  EXPECT_EQ(includes("estab/tcp/x.hpp", "<sys/socket.h>"), 1u);
  EXPECT_EQ(includes("estab/tcp/x.hpp", "<unistd.h>"), 1u);
  EXPECT_EQ(includes("estab/tcp/x.hpp", "<boost/asio.hpp>"), 1u);
  EXPECT_EQ(includes("estab/net/x.hpp", "<boost/asio.hpp>"), 0u);
  EXPECT_EQ(includes("tests/net/x.cpp", "<sys/socket.h>"), 0u);
}

TEST(TidyChecks, AClockInTheCoreIsSeen) {
  constexpr auto reads = "auto now = std::chrono::steady_clock::now();\n";
  EXPECT_EQ(count(check_core_is_pure, "estab/tcp/x.cpp", reads), 1u);
  EXPECT_EQ(count(check_core_is_pure, "estab/runtime/x.cpp", reads), 0u);
  EXPECT_EQ(count(check_core_is_pure, "estab/base/x.cpp", "std::random_device d;\n"), 1u);
  EXPECT_EQ(count(check_core_is_pure, "estab/base/x.cpp", "#include <chrono>\n"), 0u);
}

TEST(TidyChecks, AMissingLicenceIsSeen) {
  EXPECT_EQ(count(check_licence, "estab/base/x.cpp", "int x;\n"), 1u);
  EXPECT_EQ(count(check_licence, "x.sh", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"), 0u);
  EXPECT_EQ(count(check_licence, "README.md", "# estab\n"), 0u);
}

TEST(TidyChecks, WideLinesAndLongFilesAreSeen) {
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "§";  // A column each, whatever the octets.
  EXPECT_EQ(count(check_columns, "x.cpp", wide + '\n'), 0u);
  EXPECT_EQ(count(check_columns, "x.cpp", wide + "x\n"), 1u);
  EXPECT_EQ(count(check_length, "x.cpp", std::string(500, '\n')), 0u);
  EXPECT_EQ(count(check_length, "x.cpp", std::string(501, '\n')), 1u);
}

TEST(TidyChecks, APathOfOneMachineIsSeen) {
  for (const std::string folder : {"home", "root", "Users"})
    EXPECT_EQ(count(check_machine_paths, "x.md", "see /" + folder + "/somebody\n"), 1u);
  EXPECT_EQ(count(check_machine_paths, "x.md",
                  "see a/"
                  "work/b, ${root}/build and /usr/include\n"),
            0u);
}

TEST(TidyChecks, WhatIsLeftToDoIsSeen) {
  EXPECT_EQ(count(check_left_to_do, "x.cpp", std::string("// TO") + "DO: later\n"), 1u);
}

}  // namespace
}  // namespace estab::tidy
