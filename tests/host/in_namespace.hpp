// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <optional>
#include <system_error>

#include "estab/host/namespace.hpp"

namespace estab::host {

// A test that runs in a network namespace of its own; skipped, with the reason, where it may not.
class InNamespace : public testing::Test {
 protected:
  void SetUp() override {
    try {
      namespace_.emplace();
    } catch (const std::system_error& error) { GTEST_SKIP() << error.what(); }
  }

 private:
  std::optional<NetworkNamespace> namespace_;
};

}  // namespace estab::host
