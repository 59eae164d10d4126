#pragma once
#include <termios.h>

#include <cstddef>
#include <string>

namespace eole::cli {

/// The terminal's other screen, until its end: what was on it before comes back. Keys are heard one
/// by one.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  /// Puts `frame` over what was there.
  void show(const std::string& frame);
  /// A key that was pressed; zero: none.
  char key();
  static std::size_t columns();
  static std::size_t rows();

 private:
  termios before_{};
  bool hears_keys_ = false;
};

}  // namespace eole::cli
