// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/shield_keys.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <charconv>

#include "estab/cli/commands.hpp"
#include "estab/cli/settings_file.hpp"
#include "estab/host/entropy.hpp"

namespace estab::cli {
namespace {

constexpr std::size_t digits = 64, digits_a_word = 16;

std::optional<tcp::CookieMaster> parse_key(std::string_view text) {
  if (text.size() != digits || text.find_first_not_of("0123456789abcdefABCDEF") != text.npos)
    return std::nullopt;
  tcp::CookieMaster master;
  for (auto& key : master.words)
    for (auto& word : key) {
      std::from_chars(text.data(), text.data() + digits_a_word, word, 16);
      text.remove_prefix(digits_a_word);
    }
  return master;
}

}  // namespace

ShieldKeys read_keys(const std::string& path) {
  std::optional<tcp::CookieMaster> current, previous;
  for (const auto& setting : read_settings(path)) {
    const auto key = parse_key(setting.value);
    if (setting.word == "current") current = key;
    else if (setting.word == "previous") previous = key;
    else
      refuse_setting(
          path, setting,
          fmt::format("'{}' is not known; valid are: current HEX64, previous HEX64", setting.word));
    if (!key)
      refuse_setting(path, setting,
                     fmt::format("a key is {} hexadecimal digits; this is none, of {} characters",
                                 digits, setting.value.size()));
  }
  if (!current)
    throw Failure(
        fmt::format("{} has no line: current HEX64\nestab shield --make-keys prints one.", path));
  return {*current, previous};
}

std::string make_keys() {
  const auto master = host::draw_random<tcp::CookieMaster>();
  return fmt::format("current {:016x}{:016x}{:016x}{:016x}\n", master.words[0][0],
                     master.words[0][1], master.words[1][0], master.words[1][1]);
}

bool is_readable_by_others(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && (found.st_mode & S_IROTH) != 0;
}

}  // namespace estab::cli
