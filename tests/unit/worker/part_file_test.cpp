#include "worker/handlers/part_file.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

using namespace eole;
using worker::PartFile;
using worker::Version;

namespace {

/// A directory for one part, and how often that was asked for its place.
struct Here {
  std::string directory = (std::filesystem::temp_directory_path() / "eole-part-XXXXXX").string();
  std::string path;
  int asked = 0;
  std::optional<PartFile> part;

  explicit Here(bool is_left = false) {
    REQUIRE(::mkdtemp(directory.data()) != nullptr);
    path = directory + "/part";
    again(is_left);
  }
  ~Here() {
    part.reset();
    std::filesystem::remove_all(directory);
  }
  void again(bool is_left) {
    part.reset();
    asked = 0;
    part.emplace([this] { return ++asked, PartFile::Place{path, true}; }, is_left);
  }
  bool is_there() const { return std::filesystem::exists(path); }
  std::string content() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

const Version kSmall{"\"v1\"", 10, "", "", ""};
const Version kLarge{"\"v1\"", 8 << 20, "", "", ""};

}  // namespace

TEST_CASE("one is read while it grows in memory, and while it is put on the disk", "[part_file]") {
  constexpr std::size_t kPiece = 8 << 10;
  std::string all(1 << 20, '\0');
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(i * 31 >> 7);
  bool is_same = true;
  for (int round = 0; round < 200 && is_same; ++round) {
    Here here;
    auto& part = *here.part;
    REQUIRE(part.begin({"\"v1\"", all.size(), "", "", ""}, 0));
    std::thread transfer([&] {
      for (std::size_t at = 0; at < all.size(); at += kPiece)
        part.append(at, std::string_view(all).substr(at, kPiece));
      part.begin({"\"v2\"", 8 << 20, "", "", ""}, all.size());
    });
    for (std::size_t seen = 0; seen < all.size() && is_same;) {
      const auto bytes = part.read(0);
      is_same = bytes.size() >= seen && all.starts_with(bytes);
      seen = bytes.size();
    }
    transfer.join();
    part.drop();
  }
  CHECK(is_same);
}

TEST_CASE("a small file that comes in one go is never on the disk", "[part_file]") {
  Here here;
  auto& part = *here.part;
  REQUIRE(part.begin(kSmall, 0));
  CHECK(part.append(0, "01234") == 5);
  CHECK(part.append(5, "56789") == 5);
  CHECK(part.gaps().empty());
  CHECK(part.path().empty());
  CHECK(part.bytes() == "0123456789");
  CHECK(part.read(7) == "789");
  CHECK(part.read(11).empty());
  part.drop();
  here.part.reset();
  CHECK(here.asked == 0);
  CHECK_FALSE(here.is_there());
}

TEST_CASE("a large file, or one of which nobody knows how large it is, is on the disk at once",
          "[part_file]") {
  for (const auto& version : {kLarge, Version{}}) {
    Here here;
    REQUIRE(here.part->begin(version, 0));
    CHECK(here.part->append(0, "0123") == 4);
    CHECK(here.part->path() == here.path);
    CHECK(here.content() == "0123");
    CHECK(here.asked == 1);
  }
}

TEST_CASE("what there is of a small file is left for the next attempt", "[part_file]") {
  Here here;
  REQUIRE(here.part->begin(kSmall, 0));
  here.part->append(0, "01234");
  here.again(true);
  auto& part = *here.part;
  CHECK(part.resume_at() == 5);
  CHECK(part.version() == kSmall);
  REQUIRE(part.begin(kSmall, 5));
  part.append(5, "56789");
  CHECK(here.content() == "0123456789");
  // But not if no validator vouches for it.
  Here other;
  REQUIRE(other.part->begin({"", 10, "", "", ""}, 0));
  other.part->append(0, "01234");
  other.part.reset();
  CHECK_FALSE(other.is_there());
}

TEST_CASE("a small file that something else needs is put on the disk", "[part_file]") {
  Here here;
  REQUIRE(here.part->begin(kSmall, 0));
  here.part->append(0, "0123456789");
  REQUIRE(here.part->finish());
  CHECK(here.content() == "0123456789");
  CHECK_FALSE(std::filesystem::exists(here.path + ".version"));
}

TEST_CASE("a part in memory begins anew, and becomes another one", "[part_file]") {
  Here here;
  auto& part = *here.part;
  const auto before = part.generation();
  REQUIRE(part.begin(kSmall, 0));
  part.append(0, "01234");
  REQUIRE(part.start_over());
  CHECK(part.generation() > before);
  CHECK(part.resume_at() == 0);
  REQUIRE(part.begin({"\"v2\"", 3, "", "", ""}, 0));
  CHECK(part.append(0, "new") == 3);
  CHECK(part.bytes() == "new");
  // … as one that is too large for it.
  REQUIRE(part.begin(kLarge, 0));
  part.append(0, "large");
  CHECK(here.content() == "large");
}

TEST_CASE("of each stretch a kill costs no more than a MiB", "[part_file]") {
  Here here;
  constexpr std::uint64_t kMiB = 1 << 20;
  REQUIRE(here.part->begin(kLarge, 0));
  here.part->append(0, "x");
  REQUIRE(here.part->divide(4 * kMiB));
  const std::string bytes(kMiB / 2 + 1, 'x');
  for (std::uint64_t at = 4 * kMiB; at < 6 * kMiB; at += bytes.size()) here.part->append(at, bytes);
  // As a kill leaves it: the next one reads what is noted.
  PartFile next([&] { return PartFile::Place{here.path, true}; }, true);
  CHECK(next.have() > kMiB);
  CHECK(next.gaps().front().to == 4 * kMiB);
}

TEST_CASE("a stretch of which nothing came costs a kill nothing of the others", "[part_file]") {
  Here here;
  constexpr std::uint64_t kMiB = 1 << 20;
  REQUIRE(here.part->begin(kLarge, 0));
  REQUIRE(here.part->divide(4 * kMiB));  // Of a connection that the server then refuses.
  here.part->append(0, std::string(2 * kMiB, 'x'));
  PartFile next([&] { return PartFile::Place{here.path, true}; }, true);
  CHECK(next.have() == 2 * kMiB);
  CHECK(next.resume_at() == 2 * kMiB);
}

TEST_CASE("who begins in a gap that another fills leaves both as much in all", "[part_file]") {
  using Gap = PartFile::Gap;
  CHECK(Gap{2, 200, 0}.middle() == 100);
  CHECK(Gap{100, 200, 100}.middle() == 150);
  // Of one that has filled much already: what is left counts.
  CHECK(Gap{1000, 1100, 0}.middle() == 1037);
  CHECK(Gap{1000, 1001, 0}.middle() == 1000);
}
