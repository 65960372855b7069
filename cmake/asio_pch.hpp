// SPDX-License-Identifier: Apache-2.0
// What every source that speaks Boost.Asio pays for, compiled once (see estab_use_asio).
#pragma once
#include <array>
#include <boost/asio.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
