// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/settings_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <sstream>
#include <system_error>

#include "estab/cli/commands.hpp"

namespace estab::cli {
namespace {

constexpr std::size_t largest_file = 64 << 10;  // Octets.

std::string text_of(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             &std::fclose);
  std::string text(largest_file + 1, '\0');
  if (file) text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (!file || std::ferror(file.get()) != 0)
    throw Failure(fmt::format("cannot read {}: {}\nName a file that may be read.", path,
                              std::generic_category().message(errno)));
  if (text.size() > largest_file)
    throw Failure(fmt::format("{} is larger than {} KiB, which no file of settings is", path,
                              largest_file >> 10));
  return text;
}

}  // namespace

void refuse_setting(const std::string& path, const Setting& setting, const std::string& why) {
  throw Failure(fmt::format("{}, line {}: {}", path, setting.line, why));
}

std::vector<Setting> read_settings(const std::string& path) {
  std::istringstream lines(text_of(path));
  std::vector<Setting> settings;
  unsigned number = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    Setting setting{.line = ++number, .word = {}, .value = {}};
    if (!(words >> setting.word)) continue;
    std::string more;
    if (!(words >> setting.value) || words >> more)
      refuse_setting(path, setting, "a line is a word and its value, such as: word value");
    if (std::ranges::find(settings, setting.word, &Setting::word) != settings.end())
      refuse_setting(path, setting, fmt::format("'{}' was given before", setting.word));
    settings.push_back(std::move(setting));
  }
  return settings;
}

}  // namespace estab::cli
