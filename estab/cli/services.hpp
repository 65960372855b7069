// SPDX-License-Identifier: Apache-2.0
// What `estab serve` does with a connection. Each coroutine ends when the connection has ended or
// its guest is to leave; none throws for what a peer does.
#pragma once
#include <boost/asio/awaitable.hpp>

#include "estab/cli/guest.hpp"
#include "estab/cli/http_files.hpp"

namespace estab::cli {

// RFC 862: what comes goes back.
boost::asio::awaitable<void> serve_echo(Guest& guest);
// RFC 863: what comes is dropped.
boost::asio::awaitable<void> serve_discard(Guest& guest);
// HTTP/1.1: GET and HEAD of files, ranges, connections kept alive.
boost::asio::awaitable<void> serve_http(Guest& guest, const HttpFiles& files);

}  // namespace estab::cli
