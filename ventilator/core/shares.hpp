#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"

namespace eole::ventilator {

constexpr std::size_t kSharesMax = 65536;  // Projects of which it is known how much they had.

/// How long slots ran tasks of each project: of equals the least served goes first, so that a
/// million tasks of one do not delay ten of another, nor do tasks that take ten times as long. What
/// ended counts for as long as it ran, as the log tells; what is leased, at once, for as long as
/// tasks of its project take, or have run so far if that is longer.
/// Who comes anew, or back after a while, begins where the others are: what it did not use does not
/// add up. All times are microseconds. A project that is alone costs nothing.
class Shares {
 public:
  /// So many attempts, for so long in all.
  struct Ran {
    std::uint64_t time = 0;
    std::uint64_t attempts = 0;
  };
  struct Project {
    std::string name = {};
    std::uint64_t ran = 0;      // And what the others had when it came.
    std::uint64_t charged = 0;  // For what is leased.
    std::uint64_t leased = 0;
    std::uint64_t entered = 0;  // So often, and not left.
    Ran lately = {};
    std::unordered_map<Seq, std::uint64_t> running = {};  // Of what is leased, for how long so far.
    std::uint64_t running_time = 0;                       // All of them.
    std::uint64_t served() const { return ran + charged; }
  };
  /// `least`: what the least served has had of those that wait for the same workers and are not
  /// held, and no less than whose turn was the last there had before; nothing: nobody waits there,
  /// so who was served last anywhere stands for the others. Others may have workers of their own.
  /// The project stays where it is until it was left as often.
  Project& enter(const std::string& name, std::optional<std::uint64_t> least = {});
  void leave(Project& project);
  /// It has had no less than `begin`, which others had meanwhile.
  static void raise(Project& project, std::uint64_t begin) {
    if (project.served() < begin) project.ran = begin - project.charged;
  }
  void on_leased(Project& project, std::uint64_t tasks);
  /// Attempts of it have ended, of which none is held against it for more than `each_most`. Whoever
  /// is not known has no competitors.
  void on_ran(const std::string& name, const Ran& ran, std::uint64_t each_most);
  /// A leased task of it has run for so much longer.
  void on_runs(const std::string& name, Seq seq, std::uint64_t time);
  /// It is leased no more; `is_told`: its result tells how long it ran.
  void on_ended(const std::string& name, Seq seq, bool is_told);
  /// What workers have of each project, or may have still; of others nothing. Between two such
  /// counts `leased` goes by what was told: an end that nobody told of is put right here.
  using Leased = std::unordered_map<std::string_view, std::uint64_t>;
  void put_right(const Leased& leased);
  /// How many of its tasks it may have before it was served more than one that had `served`.
  std::uint64_t turn(const Project& project, std::uint64_t served) const;
  bool is_shared() const { return projects_.size() > 1; }
  void begin_turn(TimePoint now) {
    if (!is_shared()) since_ = now;
  }
  /// There have been several projects from then on.
  TimePoint since() const { return since_; }
  std::size_t size() const { return projects_.size(); }

 private:
  std::uint64_t time_of_task(const Project& project) const;
  void charge(Project& project) const;
  /// Nothing waits or runs of it, and it has no more than others had.
  bool is_over(const Project& project) const;

  std::unordered_map<std::string, Project> projects_;
  std::uint64_t entered_ = 0;  // By all.
  TimePoint since_{};
  std::uint64_t floor_ = 0;  // What the one that was served last had before.
  Ran lately_;               // Of all.
};

}  // namespace eole::ventilator
