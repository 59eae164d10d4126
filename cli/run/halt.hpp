#pragma once
#include <cstdint>
#include <string>

#include "common/base/expected.hpp"

namespace eole::cli {

/// What becomes of the other jobs when it is enough.
enum class Halt : std::uint8_t { kNone, kSoon, kNow };

/// When it is enough: "soon,fail=1", "now,success=3", "soon,done=20%", "never". Pure.
class HaltPolicy {
 public:
  /// Of a share: so many must have ended that way at least.
  static constexpr std::uint64_t kShareOfAtLeast = 3;

  static Expected<HaltPolicy> parse(const std::string& written);
  /// A job has ended; what is to be done now.
  Halt on_end(bool is_success);
  /// It was enough because of what was hoped for.
  bool is_met_by_success() const { return is_met_ && counts_ == Counts::kSuccess; }

 private:
  enum class Counts : std::uint8_t { kFail, kSuccess, kEnded };
  Halt when_ = Halt::kNone;
  Counts counts_ = Counts::kFail;
  std::uint64_t most_ = 1;
  bool is_share_ = false;  // In percent of those that have ended.
  std::uint64_t counted_ = 0;
  std::uint64_t ended_ = 0;
  bool is_met_ = false;
};

}  // namespace eole::cli
