#include "worker/runners/scratch.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

using namespace eole;
namespace fs = std::filesystem;

namespace {

/// The user's state is in a directory that goes at the end.
class State {
 public:
  State() {
    auto pattern = (fs::temp_directory_path() / "eole-scratch-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    if (const char* before = std::getenv("XDG_STATE_HOME")) before_ = before;
    ::setenv("XDG_STATE_HOME", path_.c_str(), 1);
  }
  ~State() {
    before_ ? ::setenv("XDG_STATE_HOME", before_->c_str(), 1) : ::unsetenv("XDG_STATE_HOME");
    fs::remove_all(path_);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("two workers of one name have a directory each", "[worker]") {
  const State state;
  const auto data = (state.path() / "w1").string();
  auto first = data;
  auto second = data;
  {
    const worker::Scratch alive(first, "w1", true);
    std::ofstream(fs::path(first) / "task") << "of the first";
    {
      const worker::Scratch next(second, "w1", true);
      CHECK(first == data);
      CHECK(second != data);
      CHECK(fs::exists(second));
    }
    CHECK_FALSE(fs::exists(second));
    CHECK(fs::exists(fs::path(first) / "task"));
  }
  auto third = data;
  const worker::Scratch again(third, "w1", true);
  CHECK(third == data);
}

TEST_CASE("the scratch of an unnamed worker that was killed goes when another one starts",
          "[worker]") {
  const State state;
  std::string first;
  std::string second;
  {
    const worker::Scratch alive(first, "host-1", false);
    const auto dead = fs::path(first).parent_path() / "host-2";
    fs::create_directories(dead / "deep");
    std::ofstream(dead / "deep" / "file") << "left";
    fs::permissions(dead / "deep", fs::perms::none);
    const worker::Scratch next(second, "host-3", false);
    CHECK(fs::exists(first));
    CHECK_FALSE(fs::exists(dead));
    CHECK(fs::exists(second));
  }
  CHECK_FALSE(fs::exists(first));
  CHECK_FALSE(fs::exists(second));
}

TEST_CASE("a spare directory is had again by whom it is fresh for", "[worker]") {
  const State state;
  const auto at = [&](const char* name) { return (state.path() / name).string(); };
  const auto place = [&](const char* name) {
    struct stat found {};
    REQUIRE(::stat(at(name).c_str(), &found) == 0);
    CHECK((found.st_mode & 07777) == 0700);
    CHECK(fs::is_empty(at(name)));
    return found.st_ino;
  };
  {
    worker::SpareDirectory spare(at("spare"));
    REQUIRE(spare.take(at("first")));
    const auto first = place("first");
    spare.give(at("first"));
    CHECK_FALSE(fs::exists(at("first")));
    REQUIRE(spare.take(at("second")));
    CHECK(place("second") == first);
    std::ofstream(at("second") + "/file") << "left";
    spare.give(at("second"));
    CHECK_FALSE(fs::exists(at("second")));
    CHECK_FALSE(fs::exists(at("spare")));
    REQUIRE(spare.take(at("third")));
    fs::permissions(at("third"), fs::perms::all);
    spare.give(at("third"));
    CHECK_FALSE(fs::exists(at("spare")));
    REQUIRE(spare.take(at("fourth")));
    REQUIRE(spare.take(at("fifth")));  // While the other is in use.
    spare.give(at("fourth"));
    spare.give(at("fifth"));
    CHECK_FALSE(fs::exists(at("fifth")));
    CHECK(fs::exists(at("spare")));
  }
  CHECK(fs::is_empty(state.path()));
}
