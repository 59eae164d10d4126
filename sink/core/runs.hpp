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

/// How far the results of each worker's run were taken. A run belongs to the key that used it
/// first; of each key the runs used last are kept. One that was forgotten starts again where its
/// worker says that all before was acknowledged, so forgetting costs nothing.
class Runs {
 public:
  /// The highest number taken; zero if the run is not known.
  std::uint64_t level(RunId run) const;
  /// Whether nobody else used it. `user`: a public key; empty over ipc.
  bool may_use(RunId run, std::string_view user) const;
  /// Null if the run is not known.
  const std::string* user_of(RunId run) const;
  /// All up to `level` were taken. True if the run was not known.
  bool raise(RunId run, std::string_view user, std::uint64_t level);
  std::size_t count() const { return runs_.size(); }
  /// Hears (run, user, level) of each key's runs, those used last at the end.
  void for_each(auto&& hear) const {
    for (const auto& [user, used] : users_)
      for (const auto run : used) hear(run, user, runs_.at(run).level);
  }

 private:
  using Used = std::list<RunId>;  // The one used last at the end.
  struct Run {
    std::uint64_t level = 0;
    std::map<std::string, Used, std::less<>>::iterator user;
    Used::iterator place;
  };
  std::unordered_map<RunId, Run> runs_;
  std::map<std::string, Used, std::less<>> users_;
};

}  // namespace eole::sink
