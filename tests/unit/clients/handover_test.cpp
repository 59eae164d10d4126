#include "clients/cpp/blocking/handover.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"
#include "common/net/security.hpp"
#include "common/net/socket.hpp"
#include "common/protocol/records.hpp"
#include "common/storage/real_disk.hpp"
#include "sink/io/artifact_server.hpp"
#include "sink/io/artifact_shelf.hpp"

using namespace eole;

namespace {

constexpr std::uint64_t kFileBytes = protocol::kChunkBytes * 20 + 1;

/// A sink's artifacts, and somebody's file.
struct Place {
  std::string path;
  net::ClusterFile cluster;
  net::Authority authority;
  std::optional<net::Context> context;
  std::unique_ptr<storage::Directory> directory;
  std::optional<sink::ArtifactShelf> shelf;
  std::optional<sink::ArtifactServer> server;

  /// `told`: where others are told to lay their files.
  explicit Place(const std::string& told) {
    path = (std::filesystem::temp_directory_path() / "eole-handover-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    for (const auto* each : {"shelf", "other"})
      std::filesystem::create_directory(text(path, "/", each));
    cluster.artifacts = text("ipc://", path, "/socket");
    context.emplace(cluster, authority);
    directory = storage::open_directory(path + "/shelf");
    shelf.emplace(*directory, 0);
    server.emplace(*context, authority, cluster.artifacts, *shelf, text(path, "/", told));
    std::ofstream(file()) << std::string(kFileBytes, 'x');
  }
  ~Place() {
    server.reset();
    std::filesystem::remove_all(path);
  }
  std::string file() const { return path + "/file"; }
  std::size_t handed() const {
    std::size_t count = 0;
    for (const auto& each : std::filesystem::recursive_directory_iterator(path))
      if (each.path().extension() == ".handed") ++count;
    return count;
  }
};

}  // namespace

TEST_CASE("a file that is copied to the sink is an artifact, and stays its owner's", "[handover]") {
  Place place("shelf");
  client::ArtifactClient client(*place.context, place.cluster);
  std::uint64_t total = kFileBytes;
  const auto stored =
      client::Handover::copy(client, place.file(), [&](std::uint64_t, std::uint64_t bytes) {
        total = std::min(total, bytes);
        return true;
      });
  REQUIRE(stored);
  CHECK(stored->bytes == kFileBytes);
  CHECK(total == kFileBytes);  // From the first time on.
  CHECK(place.handed() == 0);
  CHECK(place.directory->status(stored->sha256)->size == kFileBytes);
  std::ofstream(place.file()) << "something else";
  CHECK(place.directory->status(stored->sha256)->size == kFileBytes);
}

TEST_CASE("a copy that is stopped ends at once, and leaves nothing with the sink", "[handover]") {
  Place place("shelf");
  client::ArtifactClient client(*place.context, place.cluster);
  int asked = 0;
  const auto stored = client::Handover::copy(
      client, place.file(), [&](std::uint64_t, std::uint64_t) { return ++asked < 3; });
  REQUIRE_FALSE(stored);
  CHECK(stored.error().message == "stopped");
  CHECK(asked == 3);
  CHECK(place.handed() == 0);
}

TEST_CASE("a file that the sink does not see where it is copied to is sent", "[handover]") {
  Place place("other");
  client::ArtifactClient client(*place.context, place.cluster);
  std::size_t left = 0;
  const auto stored =
      client::Handover::copy(client, place.file(), [&](std::uint64_t done, std::uint64_t bytes) {
        if (done == bytes) left += place.handed();  // It is sent: the copy's room is free again.
        return true;
      });
  REQUIRE(stored);
  CHECK(stored->bytes == kFileBytes);
  CHECK(left == 0);
  CHECK(place.handed() == 0);
  CHECK(place.directory->has(stored->sha256));
}
