#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace eole::process {

/// A digest, fed in pieces. digest() gives its raw bytes and ends it.
class Hash {
 public:
  enum class Of { kMd5, kSha1, kSha256, kBlake2b };
  explicit Hash(Of algorithm);
  ~Hash();
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  void add(std::string_view bytes);
  std::string digest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What artifacts are named by.
class Sha256 : public Hash {
 public:
  Sha256() : Hash(Of::kSha256) {}
};

std::string sha256(std::string_view bytes);

}  // namespace eole::process
