#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace eole::process {

/// SHA-256, fed in pieces. digest() gives the 32 raw bytes and ends it.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  std::string digest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);

}  // namespace eole::process
