#include "common/process/private.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/net/private_file.hpp"

using namespace eole;

namespace {

struct Place {
  Place() : path("/tmp/eole-unit-XXXXXX") {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    umask_before = ::umask(0);
  }
  ~Place() {
    ::umask(umask_before);
    std::filesystem::remove_all(path);
  }
  mode_t mode(const std::string& name) const {
    struct stat status {};
    REQUIRE(::stat((path + name).c_str(), &status) == 0);
    return status.st_mode & 07777;
  }
  std::string path;
  mode_t umask_before = 0;
};

constexpr uid_t kStranger = 23456;

}  // namespace

TEST_CASE("a private directory is closed to others under any umask, and so is what is above it",
          "[private]") {
  Place place;
  process::keep_private();
  process::make_private_directory(place.path + "/above/leaf");
  CHECK(place.mode("/above") == 0700);
  CHECK(place.mode("/above/leaf") == 0700);
  process::make_private_directory(place.path + "/above/leaf");  // Again: as it is.
}

TEST_CASE("an own empty directory is closed, one in use that others may enter is refused",
          "[private]") {
  Place place;
  REQUIRE(::mkdir((place.path + "/d").c_str(), 0755) == 0);
  process::make_private_directory(place.path + "/d");
  CHECK(place.mode("/d") == 0700);
  REQUIRE(::chmod((place.path + "/d").c_str(), 0755) == 0);
  std::ofstream(place.path + "/d/file") << "x";
  CHECK_THROWS_WITH(process::make_private_directory(place.path + "/d"),
                    Catch::Contains("/d: others may enter it"));
  CHECK(place.mode("/d") == 0755);
}

TEST_CASE("a directory or a link of another user's is refused", "[private]") {
  if (::geteuid() != 0) return;  // Only root can give files away.
  Place place;
  const auto theirs = place.path + "/theirs";
  REQUIRE(::mkdir(theirs.c_str(), 0700) == 0);
  REQUIRE(::chown(theirs.c_str(), kStranger, kStranger) == 0);
  CHECK_THROWS_WITH(process::make_private_directory(theirs), Catch::Contains("user 23456"));
  REQUIRE(::mkdir((place.path + "/own").c_str(), 0700) == 0);
  const auto link = place.path + "/link";
  REQUIRE(::symlink("own", link.c_str()) == 0);
  process::make_private_directory(link);  // The owner's own way to another disk.
  REQUIRE(::lchown(link.c_str(), kStranger, kStranger) == 0);
  CHECK_THROWS_WITH(process::make_private_directory(link), Catch::Contains("link"));
}

TEST_CASE("a private file replaces what is there whole, follows no link and leaves no other name",
          "[private]") {
  Place place;
  std::ofstream(place.path + "/precious") << "precious";
  REQUIRE(::symlink("precious", (place.path + "/key").c_str()) == 0);
  net::write_private_file(place.path + "/key", "secret");
  CHECK(place.mode("/key") == 0600);
  CHECK(place.mode("/precious") == 0666);
  std::string precious;
  std::ifstream(place.path + "/precious") >> precious;
  CHECK(precious == "precious");
  CHECK(std::distance(std::filesystem::directory_iterator(place.path), {}) == 2);
  CHECK_THROWS(net::write_private_file("/proc/none/key", "secret"));
}
