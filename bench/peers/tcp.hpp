#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace eole::peers {

/// A connection to a server on this machine: what is said is sent when something is to be read.
class Tcp {
 public:
  Tcp(std::string server, std::uint16_t port);
  ~Tcp();
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;

  void say(std::string_view bytes) { out_ += bytes; }
  void flush();
  std::string read_bytes(std::size_t size);
  /// Up to CR LF, without them.
  std::string read_line();

 private:
  void fill();
  std::string take(std::size_t size);
  std::string server_;
  int fd_;
  std::string out_;
  std::string in_;
  std::size_t at_ = 0;
};

}  // namespace eole::peers
