// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "estab/base/address.hpp"

namespace estab::cli {

// "127.0.0.1:9077" or "[::1]:9077", the port 1 to 65535.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);
// For a CLI::Validator: nothing, or what is valid where parse_endpoint() finds nothing.
[[nodiscard]] std::string check_endpoint(const std::string& text);

}  // namespace estab::cli
