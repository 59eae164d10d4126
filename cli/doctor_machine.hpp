#pragma once
#include <string>

namespace eole::cli {

/// What one look at this machine or this cluster found.
struct Finding {
  enum class State { kOk, kPoor, kWrong };  // kPoor: it works, but not as well as it should.
  std::string of;                           // "clock"
  State state = State::kOk;
  std::string what;
  std::string advice;  // What to do; empty if all is well.
};

/// How many files a process may open.
Finding look_at_files();
/// Whether the clock is kept right.
Finding look_at_clock();
/// Whether the programs beside this one are of its release.
Finding look_at_programs();
/// Which levels of worker --sandbox work here; tries a box in a directory below `directory` that it
/// makes and removes: not every place is as a box makes it itself.
Finding look_at_sandbox(const std::string& directory);
/// How long the disk below `directory` takes to confirm a write; makes and removes a file there.
Finding look_at_syncs(const std::string& directory);
/// Room on that disk.
Finding look_at_space(const std::string& directory);

}  // namespace eole::cli
