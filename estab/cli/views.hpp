// SPDX-License-Identifier: Apache-2.0
// What a command shows of its packets while it runs: the ladder and the capture.
#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

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

}  // namespace estab::cli
