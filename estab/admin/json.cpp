// SPDX-License-Identifier: Apache-2.0
// Boost.JSON, compiled once and with us: a user of the library needs its headers alone.
#include <boost/json/src.hpp>
