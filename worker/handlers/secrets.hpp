#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"

namespace eole::worker {

/// What tasks name and only this worker's operator knows: passwords, tokens. A handler asks
/// TaskContext::secret for one, which keeps it out of all that its task then tells.
class Secrets {
 public:
  Secrets() = default;
  /// Of a file of lines NAME=VALUE that nobody but its owner may read; empty lines and those that
  /// begin with # say nothing. Throws std::runtime_error: which line, and what of it.
  explicit Secrets(const std::string& path);
  /// Errors: there is none of this name.
  Expected<std::string> find(const std::string& name) const;

 private:
  std::map<std::string, std::string> by_name_;
};

/// Puts *** where a secret stood.
class Mask {
 public:
  /// Of USER:PASSWORD the password alone, too: who is refused with it may print it.
  void add(std::string secret);
  bool is_empty() const { return secrets_.empty(); }
  std::string masked(std::string_view bytes) const;
  /// In all texts and bytes of it, and in the names of its members.
  protocol::Value masked_value(const protocol::Value& value) const;
  /// So many bytes at the begin are a secret, the longest one; zero: none is.
  std::size_t begins_with(std::string_view bytes) const;
  /// Whether these and some more may be one.
  bool may_begin_with(std::string_view bytes) const;

 private:
  std::vector<std::string> secrets_;
};

/// The same for bytes in pieces: what may be the begin of a secret waits for the rest of it.
class MaskedStream {
 public:
  explicit MaskedStream(const Mask& mask) : mask_(mask) {}
  /// What can be told now.
  std::string add(std::string_view bytes);
  std::string end();

 private:
  std::string tell(bool is_all);
  const Mask& mask_;
  std::string held_;
  std::size_t masked_ = 0;  // Bytes in front of what is held that are of a secret told already.
};

}  // namespace eole::worker
