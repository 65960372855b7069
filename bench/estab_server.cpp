// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/io_context.hpp>
#include <thread>

#include "estab/host/entropy.hpp"
#include "estab/host/interface.hpp"
#include "estab/link/tun.hpp"
#include "estab/runtime/shard.hpp"
#include "server.hpp"

namespace estab::bench {
namespace {

class EstabServer final : public Server, private runtime::Shard::Owner {
 public:
  explicit EstabServer(Service service)
      : service_(service),
        shard_(std::make_shared<runtime::Shard>(io_.get_executor(), StackConfig{},
                                                host::draw_random<Secrets>(),
                                                static_cast<runtime::Shard::Owner&>(*this))) {
    auto device = link::tun({.name = "estab%d"});
    host::add_address(device->info().name, client_prefix);
    host::bring_up(device->info().name);
    shard_->add_device(std::move(device), {server_prefix});
    if (!shard_->stack().listen(server_endpoint, {.backlog = 1024}, runtime::Shard::now()))
      throw std::runtime_error("the stack refused to listen");
    shard_->hold();
    thread_ = std::jthread([this] { io_.run(); });
  }
  ~EstabServer() override {
    io_.stop();
    thread_.join();
    shard_->end();
  }

 private:
  void ended(std::error_code) override { io_.stop(); }

  void notice(const Notice& what) override {
    if (what.bits & notice::acceptable) accept(what.listener);
    else if (what.bits & notice::closed) (void)stack().close(what.connection, now());
    else serve(what.connection);
  }
  void accept(ListenerId listener) {
    while (const auto id = stack().accept(listener)) serve(*id);
  }
  void serve(ConnectionId id) {
    if (service_ == Service::source) {
      while (stack().send(id, room_, {}, now())) {}
      return;
    }
    for (;;) {
      const auto n = stack().receive(id, room_, now());
      if (!n) return;
      if (*n == 0) return (void)stack().close(id, now());
      if (service_ == Service::echo) (void)stack().send(id, Bytes{room_}.first(*n), {}, now());
    }
  }
  Stack& stack() { return shard_->stack(); }
  static Instant now() { return runtime::Shard::now(); }

  Service service_;
  boost::asio::io_context io_{1};
  std::shared_ptr<runtime::Shard> shard_;
  std::vector<std::byte> room_ = std::vector<std::byte>(128 << 10);
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Server> estab_server(Service service) {
  return std::make_unique<EstabServer>(service);
}

}  // namespace estab::bench
