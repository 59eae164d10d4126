#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/base/ids.hpp"
#include "sink/core/origins.hpp"

namespace eole::sink {

/// How far tasks that run say they are. For people: of a task that was lost, and has not said
/// anything since, it is what it said last.
class UnderWay {
 public:
  /// Of so many it is known, some 300 bytes each. Beyond it the one of the lowest number is
  /// forgotten, which has ended sooner than others.
  static constexpr std::size_t kTasksMax = 8192;

  /// `total`: zero if it does not know; then nothing is known here, either, nor of what is settled,
  /// or was never given out: any worker may say anything.
  void hear(const TaskId& id, std::string_view project, std::uint64_t done, std::uint64_t total,
            const Origins& origins);
  /// An attempt of each is over.
  void forget(Origin origin, Seq first, Seq last);
  /// By project: the sum of done / total of those that are not settled.
  std::map<std::string, double, std::less<>> done(const Origins& origins) const;
  /// Of one of them.
  double done_of(std::string_view project, const Origins& origins) const;

 private:
  struct Said {
    std::string project;
    double part = 0;  // 0 to 1.
  };
  std::map<TaskId, Said> tasks_;
};

}  // namespace eole::sink
