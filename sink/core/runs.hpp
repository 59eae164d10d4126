#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"
#include "sink/core/checkpoint.hpp"

namespace eole::sink {

constexpr std::size_t kRunsPerUserMax = 16384;  // Some 200 bytes each.
constexpr std::int64_t kRunAgeMaxMs = 30LL * 86400 * 1000;

/// How far the results of each worker's run were taken, for each origin. A run belongs to the key
/// that used it first; of each key the runs used last are kept, and none for longer than
/// kRunAgeMaxMs after its last use. One that was forgotten starts again where its worker says that
/// all before was acknowledged: so forgetting costs nothing (rule R7).
class Runs {
 public:
  Runs() = default;
  Runs(Runs&&) = default;  // A copy's runs would be users of this one.
  Runs& operator=(Runs&&) = default;
  /// The highest number taken of this origin's results; zero if none was.
  std::uint64_t level(RunId run, Origin origin) const;
  /// Whether nobody else used it. `user`: a public key; empty over ipc.
  bool may_use(RunId run, std::string_view user) const;
  /// The run is this key's from now on. True if it was not known.
  bool claim(RunId run, std::string_view user);
  /// All of this origin's results up to `level` were taken. Nothing if the run is not known.
  void raise(RunId run, Origin origin, std::uint64_t level);
  std::size_t count() const { return runs_.size(); }
  /// How many the key has that has the most.
  std::size_t most_of_a_user() const;
  /// The time, a level in Unix milliseconds: what was not used for long is forgotten.
  void set_time(std::int64_t unix_ms);

  void save(SavePlace& place, Bytes& out) const;
  bool load(std::string_view payload);

 private:
  // A use may be that of two runs: a checkpoint has its own numbers.
  using Uses = std::set<std::pair<std::uint64_t, RunId>>;
  using Users = std::map<std::string, Uses, std::less<>>;
  struct Run {
    std::map<Origin, std::uint64_t> levels;
    Users::iterator user;
    std::uint64_t use = 0;  // Its last: the place among its user's.
    std::int64_t used_unix_ms = 0;
  };
  void use(RunId id, Run& run);
  std::map<RunId, Run> runs_;
  Users users_;  // Of each key: its runs, each once, by their last use.
  std::uint64_t uses_ = 0;
  std::int64_t unix_ms_ = 0;
};

}  // namespace eole::sink
