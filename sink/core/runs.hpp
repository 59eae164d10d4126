#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/ids.hpp"

namespace eole::sink {

constexpr std::size_t kRunsPerUserMax = 16384;  // Some 130 bytes each.

/// How far the results of each worker's run were taken, for each origin. A run belongs to the key
/// that used it first; of each key the runs used last are kept. One that was forgotten starts again
/// where its worker says that all before was acknowledged: so forgetting costs nothing (rule R7).
class Runs {
 public:
  /// The highest number taken of this origin's results; zero if none was.
  std::uint64_t level(RunId run, Origin origin) const;
  /// Whether nobody else used it. `user`: a public key; empty over ipc.
  bool may_use(RunId run, std::string_view user) const;
  /// The run is this key's from now on. True if it was not known.
  bool claim(RunId run, std::string_view user);
  /// All of this origin's results up to `level` were taken. Nothing if the run is not known.
  void raise(RunId run, Origin origin, std::uint64_t level);
  std::size_t count() const { return runs_.size(); }

 private:
  using Used = std::list<RunId>;  // The one used last at the end.
  struct Run {
    std::map<Origin, std::uint64_t> levels;
    std::map<std::string, Used, std::less<>>::iterator user;
    Used::iterator place;
  };
  std::unordered_map<RunId, Run> runs_;
  std::map<std::string, Used, std::less<>> users_;
};

}  // namespace eole::sink
