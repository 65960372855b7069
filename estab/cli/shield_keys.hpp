// SPDX-License-Identifier: Apache-2.0
// The keys of SYN cookies that shields behind one address share, as a file: lines of
// "current HEX64" and, at will, "previous HEX64"; HEX64 is 64 hexadecimal digits, 256 bits.
#pragma once
#include <optional>
#include <string>

#include "estab/tcp/syn_cookie.hpp"

namespace estab::cli {

struct ShieldKeys {
  tcp::CookieMaster current;                  // Makes and checks.
  std::optional<tcp::CookieMaster> previous;  // Checks only.
};

// Throws Failure, which names the line and what is valid, and never quotes a key.
[[nodiscard]] ShieldKeys read_keys(const std::string& path);
// The text of a key file: one line with a current key drawn from the system's entropy.
[[nodiscard]] std::string make_keys();
// Whether others than the file's user and group may read it.
[[nodiscard]] bool is_readable_by_others(const std::string& path);

}  // namespace estab::cli
