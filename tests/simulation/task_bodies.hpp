#pragma once
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/text.hpp"
#include "common/base/time.hpp"

namespace eole::simulation {

/// How the arguments of a simulated task begin tells what it does to its worker.
inline constexpr std::string_view kPoison = "poison";
inline constexpr std::string_view kFailing = "failing";
inline constexpr std::string_view kMaking = "making";  // An artifact.
/// Of one of several projects that compete; behind it stands how many milliseconds it takes, more or
/// less. The projects are named so, too.
inline constexpr std::string_view kRival = "rival";
/// A kind of one rival alone, which whoever runs "work" runs, too; and one of a project that has
/// other workers, those that do not.
inline constexpr const char* kLoneKind = "lone";
inline constexpr const char* kFarKind = "far";
inline constexpr const char* kFarProject = "far";
inline Duration longest_of_rival(std::string_view args) {
  std::int64_t middle = 0;
  args.remove_prefix(kRival.size() + 1);
  std::from_chars(args.data(), args.data() + args.size(), middle);
  return middle * 1ms * 3 / 2;
}
/// The project of a schedule's tasks, which are all the same.
inline constexpr std::string_view kBeats = "beats";
/// The project that is opened, closed, and then has a last task.
inline constexpr std::string_view kTracked = "tracked";
/// Such a last task.
inline constexpr std::string_view kLast = "plain last";
/// How much of the resource "licence" a worker has that has any; some tasks need one, some all.
inline constexpr std::uint64_t kLicences = 2;
/// What others need.
inline constexpr std::string_view kLabel = "gpu=a100";
/// How they end tells their class.
inline std::string class_mark(std::string_view kind, std::string_view project) {
  return text(" ", kind, " of ", project);
}

}  // namespace eole::simulation
