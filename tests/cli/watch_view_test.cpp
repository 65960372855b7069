// SPDX-License-Identifier: Apache-2.0
// The watch on a terminal of its own: a program that has one, and us at its other end.
#include "estab/cli/watch_view.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <clocale>
#include <csignal>
#include <cstring>

#include "tests/cli/scenario_source.hpp"

namespace estab::cli {
namespace {

constexpr std::string_view takes = "\033[?1049h", gives = "\033[?1049l";
constexpr int threw = 3;

// Throws when it is asked so often.
class Source final : public test::ScenarioSource {
 public:
  explicit Source(int asked_most) : ScenarioSource("normal"), left_(asked_most) {
    add("normal", sim::SynView::listener, {Address::v4(192, 0, 2, 80), Port{25}}, 3);
    play_until(20s);
  }
  std::vector<observe::ListenerPicture> pictures() override {
    if (left_-- == 0) throw std::runtime_error("the source is gone");
    return ScenarioSource::pictures();
  }

 private:
  int left_;
};

class WatchView : public testing::Test {
 protected:
  // With `keys` false its standard input is not the terminal.
  void start(winsize size, int asked_most = -1, bool keys = true) {
    ::close(master_), ::close(slave_);
    seen_.clear();
    ASSERT_EQ(::openpty(&master_, &slave_, nullptr, nullptr, &size), 0);
    ASSERT_EQ(::tcgetattr(slave_, &before_), 0);
    child_ = ::fork();
    ASSERT_GE(child_, 0);
    if (child_ == 0) run(asked_most, keys);
  }
  ~WatchView() override {
    if (child_ > 0) ::kill(child_, SIGKILL), ::waitpid(child_, nullptr, 0);
    ::close(master_), ::close(slave_);
  }

  // Reads what it writes until that comes; what came before it is forgotten.
  [[nodiscard]] bool comes(std::string_view text) {
    for (;;) {
      if (const auto at = seen_.find(text); at != seen_.npos)
        return seen_.erase(0, at + text.size()), true;
      pollfd ready{.fd = master_, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 30'000) <= 0) return false;
      std::array<char, 4096> octets;
      const auto size = ::read(master_, octets.data(), octets.size());
      if (size <= 0) return false;
      seen_.append(octets.data(), std::size_t(size));
    }
  }
  void type(std::string_view keys) {
    ASSERT_EQ(::write(master_, keys.data(), keys.size()), ssize_t(keys.size()));
  }
  void resize(winsize size) { ASSERT_EQ(::ioctl(master_, TIOCSWINSZ, &size), 0); }
  [[nodiscard]] bool is_as_before() const {
    termios now{};
    ::tcgetattr(slave_, &now);
    return now.c_iflag == before_.c_iflag && now.c_lflag == before_.c_lflag &&
           now.c_oflag == before_.c_oflag &&
           std::memcmp(now.c_cc, before_.c_cc, sizeof now.c_cc) == 0;
  }
  // Its exit code, once it has given the terminal back.
  int ends() {
    EXPECT_TRUE(comes(gives));
    int status = 0;
    ::waitpid(std::exchange(child_, 0), &status, 0);
    EXPECT_TRUE(is_as_before());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  pid_t child_ = 0;

 private:
  [[noreturn]] void run(int asked_most, bool keys) {
    ::login_tty(slave_);
    if (!keys) ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::setenv("TERM", "xterm", 1), ::setenv("NO_COLOR", "1", 1);
    std::setlocale(LC_ALL, "C.UTF-8");
    try {
      boost::asio::io_context io;
      Source source{asked_most};
      show_watch(io, source);
    } catch (const std::runtime_error&) { ::_exit(threw); }
    ::_exit(0);
  }

  int master_ = -1, slave_ = -1;
  termios before_{};
  std::string seen_;
};

constexpr winsize usual{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
constexpr winsize small{.ws_row = 10, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};

TEST_F(WatchView, ShowsThePageAndQuitsWhenToldSo) {
  start(usual);
  EXPECT_TRUE(comes(takes));
  EXPECT_TRUE(comes("► all listeners"));
  EXPECT_TRUE(comes("established after"));
  EXPECT_FALSE(is_as_before());
  type("q");
  EXPECT_EQ(ends(), 0);
}

TEST_F(WatchView, AnArrowThatComesInPiecesChoosesAndEscapeAloneQuits) {
  start(usual);
  ASSERT_TRUE(comes("► all listeners"));
  type("\033"), type("["), type("B");
  EXPECT_TRUE(comes("► 192.0.2.80:")) << "one of the two";
  type("\033");
  EXPECT_EQ(ends(), 0);
}

TEST_F(WatchView, FollowsTheSizeOfTheWindow) {
  start(small);
  ASSERT_TRUE(comes("A larger window also shows"));
  resize(usual);
  EXPECT_TRUE(comes("Top prefixes"));
  type("q");
  EXPECT_EQ(ends(), 0);
}

TEST_F(WatchView, PausesAndShowsItsHelp) {
  start(usual);
  ASSERT_TRUE(comes("space"));
  type(" ");
  EXPECT_TRUE(comes("paused"));
  type("?");
  EXPECT_TRUE(comes("Keys and words"));
  type("\003");
  EXPECT_EQ(ends(), 0);
}

TEST_F(WatchView, ASignalThatEndsItGivesTheTerminalBack) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    start(usual);
    ASSERT_TRUE(comes("established after"));
    ::kill(child_, signal);
    EXPECT_EQ(ends(), 0) << ::strsignal(signal);
  }
}

TEST_F(WatchView, AnErrorOfTheSourceGivesTheTerminalBack) {
  start(usual, 2);
  EXPECT_EQ(ends(), threw);
}

TEST_F(WatchView, StoppedItGivesTheTerminalBackAndTakesItWhenItGoesOn) {
  start(usual);
  ASSERT_TRUE(comes("established after"));
  ::kill(child_, SIGTSTP);
  EXPECT_TRUE(comes(gives));
  int status = 0;
  ::waitpid(child_, &status, WUNTRACED);
  EXPECT_TRUE(WIFSTOPPED(status));
  EXPECT_TRUE(is_as_before());
  ::kill(child_, SIGCONT);
  EXPECT_TRUE(comes(takes));
  EXPECT_TRUE(comes("established after"));
  type("q");
  EXPECT_EQ(ends(), 0);
}

TEST_F(WatchView, WithoutAKeyboardASignalEndsIt) {
  start(usual, -1, false);
  ASSERT_TRUE(comes("established after"));
  EXPECT_TRUE(is_as_before());
  ::kill(child_, SIGINT);
  EXPECT_EQ(ends(), 0);
}

TEST(WatchPage, IsTheMomentAsText) {
  Source source{-1};
  const auto page = watch_page(source, {.width = 100, .height = 30});
  EXPECT_EQ(std::ranges::count(page, '\n'), 30);
  EXPECT_NE(page.find("estab watch: scenario normal"), page.npos);
  EXPECT_NE(page.find("Top prefixes"), page.npos);
  EXPECT_EQ(page.find("quit"), page.npos) << "there are no keys";
}

}  // namespace
}  // namespace estab::cli
