// SPDX-License-Identifier: Apache-2.0
#include "estab/host/owners.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace estab::host {
namespace {

namespace fs = std::filesystem;

TEST(SocketOwners, NamesThisProgramForItsSocket) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct stat status{};
  ASSERT_EQ(::fstat(fd, &status), 0);
  const auto owners = socket_owners();
  ::close(fd);
  const auto found = owners.by_inode.find(std::uint32_t(status.st_ino));
  ASSERT_NE(found, owners.by_inode.end());
  EXPECT_EQ(found->second, (std::vector<SocketOwner>{{"host_test", ::getpid(), fd}}));
}

// A proc file system of the test's own.
class OwnersIn : public testing::Test {
 protected:
  const fs::path proc = fs::path(testing::TempDir()) / ("estab-proc-" + std::to_string(::getpid()));
  void SetUp() override { fs::create_directories(proc); }
  void TearDown() override { fs::remove_all(proc); }

  void add(const std::string& pid, const std::string& comm) const {
    fs::create_directories(proc / pid / "fd");
    std::ofstream(proc / pid / "comm") << comm << '\n';
  }
  void link(const std::string& pid, const std::string& fd, const std::string& target) const {
    fs::create_symlink(target, proc / pid / "fd" / fd);
  }
};

TEST_F(OwnersIn, EachHolderIsNamedInOrder) {
  add("70", "worker");
  add("8", "master");
  link("70", "4", "socket:[100]");
  link("8", "11", "socket:[100]");
  link("8", "3", "socket:[100]");
  const auto owners = socket_owners(proc);
  EXPECT_TRUE(owners.complete);
  ASSERT_EQ(owners.by_inode.size(), 1u);
  EXPECT_EQ(owners.by_inode.at(100),
            (std::vector<SocketOwner>{{"master", 8, 3}, {"master", 8, 11}, {"worker", 70, 4}}));
}

TEST_F(OwnersIn, WhatIsNoSocketOrNoProgramIsLeftOut) {
  add("8", "master");
  add("self", "master");
  link("self", "3", "socket:[100]");
  link("8", "0", "/dev/null");
  link("8", "1", "pipe:[100]");
  link("8", "2", "socket:[]");
  link("8", "3", "socket:[99999999999]");
  fs::create_directories(proc / "9");  // It has just ended.
  EXPECT_TRUE(socket_owners(proc).by_inode.empty());
}

TEST_F(OwnersIn, ANameGivesTheTerminalNoCommands) {
  add("8", "a\033[2Jb");
  link("8", "3", "socket:[100]");
  EXPECT_EQ(socket_owners(proc).by_inode.at(100).front().name, "a?[2Jb");
}

TEST_F(OwnersIn, WhereNoProcIsThatIsSaid) {
  EXPECT_THROW((void)socket_owners(proc / "nowhere"), fs::filesystem_error);
}

}  // namespace
}  // namespace estab::host
