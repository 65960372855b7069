// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/system/error_code.hpp>

#include "estab/tcp/error.hpp"

namespace estab::net {

// The stack's word in Boost.Asio's: codes that compare equal to boost::asio::error::*.
[[nodiscard]] boost::system::error_code to_error_code(Error error);

}  // namespace estab::net
