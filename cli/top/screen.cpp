#include "cli/top/screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace eole::cli {

namespace {

constexpr std::size_t kColumnsDefault = 80;
constexpr std::size_t kRowsDefault = 24;

winsize size_now() {
  winsize size{};
  (void)::ioctl(1, TIOCGWINSZ, &size);
  return size;
}

}  // namespace

Screen::Screen() {
  hears_keys_ = ::tcgetattr(0, &before_) == 0;
  if (hears_keys_) {
    auto keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    ::tcsetattr(0, TCSANOW, &keys);
  }
  std::fputs("\033[?1049h\033[?25l", stdout);
}

Screen::~Screen() {
  std::fputs("\033[?25h\033[?1049l", stdout);
  std::fflush(stdout);
  if (hears_keys_) ::tcsetattr(0, TCSANOW, &before_);
}

// Line by line, each to its end: a screen that is cleared first would flicker.
void Screen::show(const std::string& frame) {
  std::string out = "\033[H";
  for (const char letter : frame) {
    if (letter == '\n') out += "\033[K";
    out += letter;
  }
  if (out.ends_with('\n')) out.pop_back();  // The last one would scroll a full screen.
  std::fputs((out + "\033[J").c_str(), stdout);
  std::fflush(stdout);
}

char Screen::key() {
  pollfd keys{0, POLLIN, 0};
  char letter = 0;
  if (!hears_keys_ || ::poll(&keys, 1, 0) <= 0 || ::read(0, &letter, 1) != 1) return 0;
  return letter;
}

std::size_t Screen::columns() {
  const auto size = size_now();
  return size.ws_col > 0 ? size.ws_col : kColumnsDefault;
}

std::size_t Screen::rows() {
  const auto size = size_now();
  return size.ws_row > 0 ? size.ws_row : kRowsDefault;
}

}  // namespace eole::cli
