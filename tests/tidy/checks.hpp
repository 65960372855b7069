// SPDX-License-Identifier: Apache-2.0
// What a tidy tree looks like. Each check takes one file and returns what is wrong with it, one
// "path:line: sentence" each; none: it is tidy.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace estab::tidy {

struct File {
  std::string path;  // From the top of the tree: "estab/base/seq.hpp".
  std::string text;
};
using Findings = std::vector<std::string>;

// Every file of the tree under `top` that people write, text only; build folders are left out.
std::vector<File> files_of_tree(const std::string& top);

Findings check_includes(const File& file);       // Layers and libraries, by the table.
Findings check_core_is_pure(const File& file);   // No clock, no entropy, no thread, no output.
Findings check_licence(const File& file);        // SPDX in one of the first two lines.
Findings check_columns(const File& file);        // At most 100.
Findings check_length(const File& file);         // At most 500 lines.
Findings check_machine_paths(const File& file);  // No home of anybody's.
Findings check_left_to_do(const File& file);     // Do it, or write it down as a limit.

}  // namespace estab::tidy
