// SPDX-License-Identifier: Apache-2.0
// What a command shows of its packets while it runs: the ladder and the capture.
#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "estab/cli/network_options.hpp"
#include "estab/net/host.hpp"

namespace estab::cli {

enum class LadderTo : std::uint8_t { standard_output, standard_error };

void show_ladder(boost::asio::io_context& io, net::host& host, const NetworkOptions& options,
                 LadderTo where);

// `failed` is told, once, why the file can no longer be written. What was captured reaches the file
// within a moment. Throws Failure if the file cannot be made.
void write_capture(boost::asio::io_context& io, net::host& host, const NetworkOptions& options,
                   std::function<void(const std::string& why)> failed);

// What to say when a capture file cannot be made, or no longer be written.
[[nodiscard]] std::string cannot_make_capture(const std::string& path, std::error_code why);
[[nodiscard]] std::string cannot_write_capture(const std::string& path, std::error_code why);

}  // namespace estab::cli
