#pragma once
#include <cstdint>
#include <string>

#include "common/protocol/value.hpp"

namespace eole::cli {

/// How a job's command ended, from its result as people see it (protocol::view_of). Pure.
struct JobOutcome {
  /// A stream: told here, or of a long one a file.
  struct Stream {
    std::string bytes;
    std::string sha256;      // Of the file that has all of it; empty: `bytes` has it.
    std::uint64_t size = 0;  // Of all that was printed.
  };
  std::string state;
  int exit_value = 0;
  int signal = 0;
  Stream output;
  Stream errors;
  std::string error;  // What its exit value does not say.
  std::string worker;
  std::int64_t finished_unix_ms = 0;
  std::int64_t run_ms = 0;

  bool is_done() const { return state == "done"; }
  std::size_t bytes() const { return output.bytes.size() + errors.bytes.size(); }
};
JobOutcome outcome_of(const protocol::Value& view);

}  // namespace eole::cli
