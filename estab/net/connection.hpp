// SPDX-License-Identifier: Apache-2.0
// One connection of a socket and the operations that wait for it. An operation is tried when it
// starts and again with each notice; octets move only when it completes, so that cancelling loses
// none. Reads are served in the order they were started, and so are writes.
#pragma once
#include <boost/asio/recycling_allocator.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <optional>
#include <variant>

#include "estab/net/endpoint.hpp"
#include "estab/net/host_core.hpp"
#include "estab/net/pending.hpp"

namespace estab::net::detail {

class Connection : public std::enable_shared_from_this<Connection>, public Notified {
 public:
  enum class Kind : std::uint8_t {
    connect,
    read,
    write,
    write_urgent,
    wait_read,
    wait_write,
    wait_error,
    wait_urgent,
    linger
  };
  struct Outcome {
    error_code error;
    std::size_t octets = 0;
  };

  explicit Connection(std::shared_ptr<HostCore> core) : core_(std::move(core)) {}
  ~Connection() override;

  // Takes over a connection that a listener gave out.
  void adopt(ConnectionId id);
  [[nodiscard]] bool is_open() const { return id_.has_value(); }
  [[nodiscard]] std::optional<Flow> flow() const { return flow_; }
  [[nodiscard]] error_code complaint() const { return complaint_; }

  void connect(const endpoint& remote, const std::optional<Endpoint>& local, Handler<> handler);
  void read(const MutableBuffers& buffers, IoHandler handler);
  void write(Kind kind, const ConstBuffers& buffers, IoHandler handler);
  void wait(Kind kind, Handler<> handler);
  // The program's last word: the rest goes on without a socket. `timer` bounds the wait.
  void linger(Duration time, Handler<> handler);

  // Now or not at all: would_block.
  Outcome try_read(const MutableBuffers& buffers);
  Outcome try_write(const ConstBuffers& buffers);

  error_code shutdown(boost::asio::socket_base::shutdown_type what);
  void close();
  void abort();
  void cancel();

  [[nodiscard]] tcp::Options options() const;
  error_code set_options(const tcp::Options& options);
  [[nodiscard]] std::expected<ConnectionInfo, Error> status() const;
  [[nodiscard]] std::expected<std::size_t, Error> available() const;
  [[nodiscard]] std::expected<std::size_t, Error> urgent_remaining() const;
  [[nodiscard]] std::expected<bool, Error> at_mark() const;

 private:
  struct Operation {
    std::uint64_t id;
    Kind kind;
    std::variant<Pending<>, Pending<std::size_t>> pending;
    std::variant<std::monostate, MutableBuffers, ConstBuffers> buffers{};
  };
  using Operations = std::list<Operation, boost::asio::recycling_allocator<Operation>>;

  void notice(const Notice& notice) override;
  void host_ended(error_code why) override;
  void discard() override;

  void open(ConnectionId id);
  void note_end(Error error);
  // The handle is given up; the stack was told, or will be.
  void drop();
  void start(Operation operation);
  void progress();
  [[nodiscard]] bool must_queue(Operations::const_iterator operation) const;
  void complete(Operation& operation, const Outcome& outcome);
  void cancel_all(error_code why);
  void cancel_one(std::uint64_t id);
  void end_linger();

  // Each tries its operation; nothing: not yet.
  std::optional<Outcome> attempt(const Operation& operation);
  std::optional<Outcome> attempt_connect();
  std::optional<Outcome> attempt_read(const MutableBuffers& buffers);
  std::optional<Outcome> attempt_write(const ConstBuffers& buffers, bool urgent);
  std::optional<Outcome> attempt_wait_read();
  std::optional<Outcome> attempt_wait_write();
  std::optional<Outcome> attempt_wait_error();
  std::optional<Outcome> attempt_wait_urgent();
  std::optional<Outcome> attempt_linger();
  std::optional<Outcome> failed(Error error);
  void forget_told_failure();

  std::shared_ptr<HostCore> core_;
  std::optional<ConnectionId> id_;
  std::uint64_t user_ = 0;
  std::optional<Flow> flow_;
  Operations operations_;
  std::uint64_t last_operation_ = 0;
  std::optional<tcp::Options> wanted_options_;
  std::unique_ptr<boost::asio::steady_timer> linger_timer_;
  // What ended it: told to the operations that find it, then not_connected.
  error_code failure_, complaint_;
  bool connected_ = false, ended_ = false, told_ = false, held_ = false;
  bool read_shut_ = false;
};

}  // namespace estab::net::detail
