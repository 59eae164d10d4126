#include "sink/core/projects.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;
using namespace eole::sink;
using protocol::TaskState;

namespace {

using Counts = std::array<std::uint64_t, 5>;

/// Results in the log's order.
struct Taken {
  void take(const std::string& project, TaskState state, std::int64_t finished,
            std::uint32_t count = 1) {
    protocol::ResultRun run;
    run.first.project = project;
    run.first.state = state;
    run.first.finished_unix_ms = finished;
    run.count = count;
    projects.count(run, head);
    head += count;
  }
  /// As a start finds them.
  Projects again() const {
    Projects loaded;
    SavePlace place{Part::kProjects};
    while (true) {
      Bytes record;
      projects.save(place, record);
      if (record.empty()) return loaded;
      REQUIRE(record.size() < 2 * kPartBytesMax);
      REQUIRE(loaded.load(record));
    }
  }
  Projects projects;
  std::uint64_t head = 0;
};

}  // namespace

TEST_CASE("of each project it is known how its tasks ended, and when", "[projects]") {
  Taken taken;
  taken.take("photos", TaskState::kDone, 50, 1000);
  taken.take("music", TaskState::kCancelled, 70);
  taken.take("photos", TaskState::kFailed, 40, 2);
  taken.take("photos", TaskState::kDead, 60);
  taken.take("", TaskState::kDone, 10);
  for (const auto& projects : {taken.projects, taken.again()}) {
    REQUIRE(projects.list().size() == 2);
    const auto* photos = projects.find("photos");
    REQUIRE(photos->counts == Counts{0, 1000, 2, 1, 0});
    REQUIRE((photos->first_unix_ms == 40 && photos->last_unix_ms == 60));
    REQUIRE(projects.find("music")->counts == Counts{0, 0, 0, 0, 1});
    REQUIRE(projects.find("") == nullptr);
    REQUIRE(projects.find("books") == nullptr);
  }
}

TEST_CASE("of too many projects the one whose last task ended longest ago is forgotten",
          "[projects]") {
  Taken taken;
  for (std::size_t i = 0; i < kProjectsMax; ++i) taken.take(text("p", i), TaskState::kDone, 1);
  taken.take("p0", TaskState::kDone, 2);
  const auto check = [&](Projects projects) {
    protocol::ResultRun run;
    run.first.project = "one more";
    projects.count(run, taken.head);
    REQUIRE(projects.list().size() == kProjectsMax);
    REQUIRE(projects.find("p1") == nullptr);
    REQUIRE(projects.find("p0")->counts[1] == 2);
    REQUIRE(projects.find("p2") != nullptr);
    REQUIRE(projects.find("one more") != nullptr);
  };
  check(taken.again());
  check(std::move(taken.projects));
}

TEST_CASE("what was read before a checkpoint is said by it anew", "[projects]") {
  Taken taken;
  taken.take("photos", TaskState::kDone, 50);
  taken.take("music", TaskState::kDone, 60);
  taken.take("photos", TaskState::kDone, 70);
  Bytes checkpoint;
  SavePlace place{Part::kProjects};
  taken.projects.save(place, checkpoint);
  Taken start;  // Reads the last one's batch, which lies before the checkpoint, a second time.
  start.head = 2;
  start.take("photos", TaskState::kDone, 70);
  REQUIRE(start.projects.load(checkpoint));
  start.take("music", TaskState::kDone, 80);
  REQUIRE(start.projects.find("photos")->counts[1] == 2);
  REQUIRE(start.projects.find("music")->counts[1] == 2);
  REQUIRE_FALSE(start.projects.load("few"));
}

TEST_CASE("what counted since the log had so many results is known of the last", "[projects]") {
  Taken taken;
  taken.take("photos", TaskState::kDone, 1, 10);
  taken.take("music", TaskState::kDone, 1);
  taken.take("photos", TaskState::kDone, 1, 4);
  taken.take("photos", TaskState::kDead, 1);
  const auto& photos = *taken.projects.find("photos");
  const auto& music = *taken.projects.find("music");
  REQUIRE(taken.projects.counted_since(16, photos) == 0);
  REQUIRE(taken.projects.counted_since(12, photos) == 4);
  REQUIRE(taken.projects.counted_since(0, photos) == 15);
  REQUIRE(taken.projects.counted_since(0, music) == 1);
  for (std::size_t i = 0; i < kLastEndsMax; ++i) taken.take("music", TaskState::kDone, 1);
  REQUIRE(taken.projects.counted_since(0, photos) == 0);
  REQUIRE(taken.projects.counted_since(0, music) == kLastEndsMax);
}
