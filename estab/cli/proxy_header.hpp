// SPDX-License-Identifier: Apache-2.0
// The header of the PROXY protocol, version 2 (its specification is HAProxy's): it tells a server
// behind a proxy who its client is. Version 1, which is text, is not spoken.
#pragma once
#include <vector>

#include "estab/base/address.hpp"

namespace estab::cli {

// What the proxy writes before the client's first octet: TCP over IPv4 (28 octets) or IPv6 (52);
// `client.remote` is the source, `client.local`, of the same family, the destination.
[[nodiscard]] std::vector<std::byte> proxy_header(const Flow& client);

}  // namespace estab::cli
