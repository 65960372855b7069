// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/execution_context.hpp>

#include "estab/base/packet.hpp"

namespace estab::runtime {

// The packet pool of an execution context. All shards of the context share it, so that packets may
// pass between them by handle, and it outlives them all. It belongs to the context's one thread.
class PoolService : public boost::asio::execution_context::service {
 public:
  using key_type = PoolService;
  inline static boost::asio::execution_context::id id;

  explicit PoolService(boost::asio::execution_context& context) : service(context) {}
  PacketPool& pool() { return pool_; }

 private:
  void shutdown() override {}

  PacketPool pool_;
};

}  // namespace estab::runtime
