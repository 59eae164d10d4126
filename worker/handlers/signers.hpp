#pragma once
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"

namespace eole::worker {

/// The keys whose commands a worker runs.
class Signers {
 public:
  Signers() = default;
  /// Of files of lines: a public key, and words about whose it is; # begins a comment. None: no
  /// command needs a signature. Throws std::runtime_error: which line, and what of it.
  explicit Signers(const std::vector<std::string>& paths);
  /// Whether a command with these arguments, as they were submitted, may run.
  Expected<void> check(const protocol::Value& args) const;

 private:
  bool are_needed_ = false;
  std::vector<std::string> keys_;
};

}  // namespace eole::worker
