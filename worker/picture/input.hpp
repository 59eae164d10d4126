#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eole::picture {

/// The file, piece by piece, so that its size costs no memory.
class Input {
 public:
  explicit Input(int fd);
  /// The first bytes, without taking them.
  std::string_view peek(std::size_t size) const;
  /// Up to `size` next bytes, valid until the next call; empty at the end.
  std::string_view take(std::size_t size);
  std::uint64_t taken() const { return taken_; }
  int fd() const { return fd_; }
  /// In bytes; zero if that cannot be known.
  std::uint64_t size() const;
  /// From the beginning again.
  void rewind();
  /// All of it from the beginning.
  std::string whole();
  bool is_cut() const { return is_cut_; }  // More was wanted than there is.

 private:
  void fill();
  int fd_;
  std::vector<char> buffer_;
  std::string_view rest_;
  std::uint64_t taken_ = 0;
  bool is_cut_ = false;
};

}  // namespace eole::picture
