// SPDX-License-Identifier: Apache-2.0
// Files of settings: one "word value" a line; what follows a # is a comment.
#pragma once
#include <string>
#include <vector>

namespace estab::cli {

struct Setting {
  unsigned line = 0;  // From 1.
  std::string word, value;
};

// Throws Failure if the file cannot be read, is larger than 64 KiB, or a line is not two words; and
// what refuse_setting() throws for a word that comes twice.
[[nodiscard]] std::vector<Setting> read_settings(const std::string& path);

// Throws a Failure that names the file and the line.
[[noreturn]] void refuse_setting(const std::string& path, const Setting& setting,
                                 const std::string& why);

}  // namespace estab::cli
