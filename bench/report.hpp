// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <span>

#include "measure.hpp"

namespace estab::bench {

// The machine, the kernel, the compiler and the commit, as they are named beside every figure.
[[nodiscard]] boost::json::object machine();

void print_machine(const boost::json::object& machine, unsigned rounds);
void print_head();
void print(const Row& row, std::span<const Result> results);

// Appends one object for each result (shared form: name, who, unit, median, min, max, ratios).
void append(boost::json::array& rows, const Row& row, std::span<const Result> results);

}  // namespace estab::bench
