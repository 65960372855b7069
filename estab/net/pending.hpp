// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include "estab/net/operation.hpp"

namespace estab::net::detail {

// A handler that waits for its operation: it counts as work of its own executor meanwhile, and is
// never called inside the call that starts or ends the operation, but posted.
template <class... Results>
class Pending {
 public:
  Pending(Handler<Results...> handler, const boost::asio::any_io_executor& io)
      : work_(boost::asio::prefer(boost::asio::get_associated_executor(handler, io),
                                  boost::asio::execution::outstanding_work.tracked)),
        handler_(std::move(handler)) {}

  // Calls cancel() when the program asks for this one operation to be cancelled. No operation
  // here has side effects before it completes: every type of cancellation is honoured.
  template <class Cancel>
  void on_cancel(Cancel cancel) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (!slot.is_connected()) return;
    slot.assign([cancel = std::move(cancel)](boost::asio::cancellation_type type) {
      if (type != boost::asio::cancellation_type::none) cancel();
    });
  }

  void post(const boost::asio::any_io_executor& io, error_code error, Results... results) {
    boost::asio::post(io, boost::asio::append(std::move(handler_), error, std::move(results)...));
  }

 private:
  boost::asio::any_completion_executor work_;
  Handler<Results...> handler_;
};

}  // namespace estab::net::detail
