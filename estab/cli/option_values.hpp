// SPDX-License-Identifier: Apache-2.0
// What options and files of settings take, as values.
#pragma once
#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "estab/base/address.hpp"
#include "estab/base/time.hpp"

namespace estab::cli {

// "192.0.2.1:80" or "[2001:db8::1]:80", with a port of 1 to 65535.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);
// "500ms", "10s", "5m" or "2h": at most 1000 days.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
// Decimal digits and nothing else: 0 to 1,000,000,000.
[[nodiscard]] std::optional<std::uint32_t> parse_count(std::string_view text);
// As parse_count, a second: "50/s".
[[nodiscard]] std::optional<std::uint32_t> parse_rate(std::string_view text);

// Bytes of memory: decimal digits, then perhaps "KiB", "MiB" or "GiB": 16 MiB to 1024 GiB.
[[nodiscard]] std::optional<std::uint64_t> parse_memory(std::string_view text);

// Each says what is wrong and what would be right.
extern const CLI::Validator is_endpoint, is_duration, is_count, is_rate, is_memory;

}  // namespace estab::cli
