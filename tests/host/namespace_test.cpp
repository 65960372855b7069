// SPDX-License-Identifier: Apache-2.0
#include "in_namespace.hpp"

#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/stat.h>

#include <set>
#include <string>
#include <thread>

namespace estab::host {
namespace {

ino_t current_namespace() {
  struct stat status{};
  EXPECT_EQ(::stat("/proc/thread-self/ns/net", &status), 0);
  return status.st_ino;
}

class Namespace : public InNamespace {};

TEST_F(Namespace, HoldsOnlyTheLoopbackAndThatIsUp) {
  ifaddrs* list = nullptr;
  ASSERT_EQ(::getifaddrs(&list), 0);
  std::set<std::string> names;
  for (const auto* at = list; at != nullptr; at = at->ifa_next) {
    names.insert(at->ifa_name);
    EXPECT_TRUE(at->ifa_flags & IFF_UP) << at->ifa_name;
  }
  ::freeifaddrs(list);
  EXPECT_EQ(names, std::set<std::string>{"lo"});
}

TEST_F(Namespace, IsLeftAtTheEndForTheOneThatTheThreadCameFrom) {
  const auto outside = current_namespace();
  {
    const NetworkNamespace inner;
    EXPECT_TRUE(inner.returns());
    EXPECT_NE(current_namespace(), outside);
  }
  EXPECT_EQ(current_namespace(), outside);
}

TEST_F(Namespace, IsTheCallingThreadsAlone) {
  const auto outside = current_namespace();
  auto inside = outside;
  std::thread([&] {
    const NetworkNamespace inner;
    inside = current_namespace();
  }).join();
  EXPECT_NE(inside, outside);
  EXPECT_EQ(current_namespace(), outside);
}

TEST_F(Namespace, LeavesNoDescriptorOpen) {
  const auto descriptors = [] {
    int count = 0;
    DIR* folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count;
  };
  const int before = descriptors();
  { const NetworkNamespace inner; }
  EXPECT_EQ(descriptors(), before);
}

}  // namespace
}  // namespace estab::host
