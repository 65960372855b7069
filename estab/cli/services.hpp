// SPDX-License-Identifier: Apache-2.0
// What `estab serve` does with a connection. Each coroutine ends when the connection has ended or
// its guest is to leave; none throws for what a peer does.
#pragma once
#include <boost/asio/awaitable.hpp>

#include "estab/cli/guest.hpp"
#include "estab/cli/http_files.hpp"
#include "estab/cli/server_options.hpp"

namespace estab::cli {

// RFC 862: what comes goes back. The connection ends after `idle` without anything from the peer
// (0: never).
boost::asio::awaitable<void> serve_echo(Guest& guest, Duration idle);
// RFC 863: what comes is dropped; `idle` as above.
boost::asio::awaitable<void> serve_discard(Guest& guest, Duration idle);
// HTTP/1.1: GET and HEAD of files, ranges, connections kept alive. `options` says how long it waits
// for the peer. While it waits for a peer that does not read, it holds at most 4 KiB of the answer,
// beside what the stack holds.
boost::asio::awaitable<void> serve_http(Guest& guest, const HttpFiles& files,
                                        const ServerOptions& options);

}  // namespace estab::cli
