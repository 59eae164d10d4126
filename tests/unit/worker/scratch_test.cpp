#include "worker/runners/scratch.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace eole;
namespace fs = std::filesystem;

TEST_CASE("the scratch of an unnamed worker that was killed goes when another one starts",
          "[worker]") {
  auto pattern = (fs::temp_directory_path() / "eole-scratch-XXXXXX").string();
  const fs::path state = ::mkdtemp(pattern.data());
  const char* before = std::getenv("XDG_STATE_HOME");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("XDG_STATE_HOME", state.c_str(), 1);
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
  before != nullptr ? ::setenv("XDG_STATE_HOME", kept.c_str(), 1) : ::unsetenv("XDG_STATE_HOME");
  fs::remove_all(state);
}
