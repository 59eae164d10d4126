#include "worker/runners/lasting.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>

using namespace eole;
using namespace eole::worker;

namespace {

/// A scratch directory of its own.
struct Directory {
  std::string path;
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "eole-unit-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  void make(const std::string& name) const { std::ofstream(path + "/" + name) << "bytes"; }
  void make_older(const std::string& name, std::time_t seconds) const {
    const timespec when{std::time(nullptr) - seconds, 0};
    const timespec times[2] = {when, when};
    REQUIRE(::utimensat(AT_FDCWD, (path + "/" + name).c_str(), times, 0) == 0);
  }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      found.insert(entry.path().filename());
    return found;
  }
};

const TaskId kId{5, 17};
const std::string kText = to_text(kId);

}  // namespace

TEST_CASE("a task's lasting files are held by one attempt at a time", "[lasting]") {
  const Directory directory;
  auto first = LastingFile::hold(directory.path, kId);
  REQUIRE(first);
  CHECK_FALSE(LastingFile::hold(directory.path, kId));
  CHECK(LastingFile::hold(directory.path, {5, 18}));
  first.reset();
  CHECK(LastingFile::hold(directory.path, kId));
}

TEST_CASE("what is forgotten is gone with all that stands beside it", "[lasting]") {
  const Directory directory;
  auto held = LastingFile::hold(directory.path, kId);
  directory.make(kText + ".part");
  directory.make(kText + ".part.version");
  directory.make(kText + "0.part");  // Another task's.
  held->forget();
  CHECK(directory.names() == std::set{kText + "0.part"});
}

TEST_CASE("what a failed attempt left is kept for a while", "[lasting]") {
  const Directory directory;
  const auto part = kText + ".part";
  LastingFile::hold(directory.path, kId)->leave();
  CHECK(directory.names().empty());  // Nothing was in it.

  auto held = LastingFile::hold(directory.path, kId);
  directory.make(part);
  held->leave();
  held.reset();
  remove_stale_lasting(directory.path);
  CHECK(directory.names() == std::set{part, part + ".lock"});
  held = LastingFile::hold(directory.path, kId);  // Its next attempt; it is killed.
  held.reset();
  directory.make_older(part, 10 * 60);
  directory.make_older(part + ".lock", 10 * 60);
  remove_stale_lasting(directory.path);
  CHECK(directory.names() == std::set{part, part + ".lock"});
  LastingFile::hold(directory.path, kId)->leave();
  directory.make_older(part, 10 * 60);
  directory.make_older(part + ".lock", 10 * 60);
  remove_stale_lasting(directory.path);
  CHECK(directory.names().empty());
}

TEST_CASE("a start removes what no attempt will ask for, and nothing else", "[lasting]") {
  const Directory directory;
  const auto make_part = [&](Seq seq, bool is_left) {
    const TaskId id{5, seq};
    auto held = LastingFile::hold(directory.path, id);
    directory.make(to_text(id) + ".part");
    if (is_left) held->leave();
    return to_text(id) + ".part";
  };
  const auto killed = make_part(1, false);
  make_part(2, true);
  const auto old = make_part(3, false);
  directory.make_older(old, 30 * 60 * 60);
  directory.make_older(old + ".lock", 30 * 60 * 60);
  directory.make(to_text(TaskId{5, 4}) + ".part");       // Without a lock.
  directory.make(to_text(TaskId{5, 5}) + ".17-3.part");  // Of a lease.
  const auto work = directory.path + "/" + to_text(TaskId{5, 7}) + ".17-4.directory";
  std::filesystem::create_directories(work + "/module");  // Of a command that was killed.
  std::ofstream(work + "/module/source") << "bytes";
  std::filesystem::permissions(work + "/module", std::filesystem::perms::owner_read);
  std::filesystem::create_directory(directory.path + "/photos.17-4.directory");
  directory.make("notes.txt");
  directory.make("photo.part");
  const auto held = LastingFile::hold(directory.path, {5, 6});  // At work.
  remove_leftovers(directory.path);
  CHECK(directory.names() == std::set<std::string>{killed, killed + ".lock", "notes.txt",
                                                   "photo.part", "photos.17-4.directory",
                                                   to_text(TaskId{5, 6}) + ".part.lock"});
}
