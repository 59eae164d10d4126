#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// Projects that always have work waiting, rivals, are served for the same time, however long their
/// tasks are. Judged while each of them has a task that no worker was sent, from kSettle after the
/// last of them came or went on, once that has lasted for kWindow: then no two differ by more than
/// kApart of what the one that had less was served, and what workers hold of both at the begin and
/// at the end, for as long as the longest task of each may take. A worker holds a task until its
/// result is in the log: results that overtake each other are sent again a second later. Not where
/// something breaks or comes late: what a worker did meanwhile is put right by serving that project
/// less for as long, or, if nobody ever hears of it, never.
class ShareRules {
 public:
  static constexpr Duration kSettle = 5s;
  static constexpr Duration kWindow = 5s;
  static constexpr double kApart = 0.05;

  explicit ShareRules(bool is_prompt) : is_prompt_(is_prompt) {}
  /// It is one of a rival's, of which none takes longer than `longest`.
  void on_accepted(const TaskId& id, const std::string& project, Duration longest, TimePoint now);
  void on_send(const TaskId& id, const std::string& project);
  /// In a slot, to its end.
  void on_begin(const TaskId& id, const std::string& project, const std::string& worker,
                TimePoint now);
  void on_end(const TaskId& id, const std::string& project, const std::string& worker,
              TimePoint now);
  /// From the answer on it is served nothing new; then with the others, from where they are.
  void on_paused(Origin origin, const std::string& project);
  void on_resumed(Origin origin, const std::string& project, TimePoint now);
  /// Its result is in the log.
  void on_settled(const TaskId& id, const std::string& project);
  /// What ran there has no end.
  void on_worker_ends(const std::string& worker);
  /// Tasks of it that were accepted, and that no worker was sent.
  std::size_t waiting(Origin origin, const std::string& project) const;

 private:
  struct Rival {
    std::set<Seq> waiting;
    std::set<Seq> sent;
    std::map<std::pair<Seq, std::string>, TimePoint> running;  // On a worker, since then.
    Duration served{};  // Of what has ended, within the window.
    std::set<Seq> held;  // By workers.
    std::size_t held_most = 0;
    Duration longest{};
    bool is_paused = false;
  };
  struct Rivals {  // Of one ventilator; but for kFarProject, which has other workers.
    std::map<std::string, Rival> by_name;
    TimePoint since{};  // The window.
  };
  Rivals& of(Origin origin, const std::string& project);
  void begin_window(Rivals& rivals, TimePoint now) const;
  void judge(const Rivals& rivals, TimePoint now) const;

  bool is_prompt_;
  std::map<Origin, Rivals> rivals_;
  std::map<Origin, Rivals> far_;
};

}  // namespace eole::simulation
