// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace estab::host {

// A fresh network namespace for the calling thread, with the loopback up, until it is destroyed on
// the same thread. What the thread makes meanwhile lies in it: sockets and devices, which stay
// there, and processes. It is gone when nothing is in it any more.
class NetworkNamespace {
 public:
  // Root enters it directly. Another user needs a user namespace around it, for which the process
  // must have no second thread yet, and from which there is no way back (see returns()).
  // Throws std::system_error whose what() says what to do.
  NetworkNamespace();
  ~NetworkNamespace();
  NetworkNamespace(NetworkNamespace&&) = delete;

  // Whether the thread goes back to its old namespace at the end.
  [[nodiscard]] bool returns() const { return old_ >= 0; }

 private:
  void leave();

  int old_ = -1;  // A descriptor of the namespace that the thread came from.
};

}  // namespace estab::host
