#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "worker/handlers/handler.hpp"
#include "worker/handlers/part_file.hpp"

namespace eole::worker {

struct TransferLimits {
  std::uint64_t bytes = 0;  // Of the whole file.
  long low_speed_bytes = 0;
  long low_speed_seconds = 0;
  long timeout_ms = 0;  // Of this request and its redirects; zero: none.
};

/// How one request for a file, or for the rest of it, ended.
struct TransferEnd {
  bool is_whole = false;
  bool is_refused = false;      // An answer of 200 or 206 that cannot be taken, or a 416.
  bool is_worth_again = false;  // The same request may succeed later.
  bool is_endless = false;      // Whole, if the connection did not break off: nothing tells.
  std::optional<std::uint64_t> began_at{};    // Where its first byte belongs, if one came.
  std::optional<std::int64_t> retry_after{};  // Seconds that the server asks to wait.
  long status = 0;                            // Of the last answer; zero: there was none.
  std::string reason{};                       // Why it is not whole, for a person.
};

/// Asks for `url`, from part.resume_at() on, and appends what comes. Whole only if every byte of
/// one version is in `part`, and nothing else.
TransferEnd transfer(const std::string& url, PartFile& part, const TransferLimits& limits,
                     TaskContext& context);

}  // namespace eole::worker
