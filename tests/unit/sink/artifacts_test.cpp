#include "sink/io/artifacts.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "common/base/ids.hpp"
#include "common/protocol/records.hpp"
#include "common/storage/real_disk.hpp"
#include "sink/core/keep.hpp"
#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using simulation::SimDisk;
using sink::ArtifactShelf;
using sink::ArtifactStore;

namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;
const std::string kContent = std::string(3000, 'a') + std::string(2000, 'b');
const std::string kName = hex(process::sha256(kContent));

// Sends what the store does not have yet, in pieces, until it says that it has the whole.
void put_all(ArtifactStore& store) {
  ArtifactStore::Progress at;
  while (!at.is_whole)
    at = *store.put("alice", kName, kContent.size(), at.have, kContent.substr(at.have, 1000));
  store.commit();
}

std::string content_of(SimDisk& disk) {
  const auto directory = disk.open();
  ArtifactShelf shelf(*directory, kNow);
  const auto piece = ArtifactStore(shelf).get(kName, 0, kContent.size());
  return piece ? piece->bytes : piece.error().message;
}

// A first life in which something fails, a second that says "whole", and then the power fails.
void fail_and_go_on(SimDisk& disk) {
  try {
    const auto directory = disk.open();
    ArtifactShelf shelf(*directory, kNow);
    ArtifactStore store(shelf);
    put_all(store);
  } catch (const storage::StorageFailure&) {
  }
  disk.fail_operation(1'000'000);
  {
    const auto directory = disk.open();
    ArtifactShelf shelf(*directory, kNow);
    ArtifactStore store(shelf);
    put_all(store);
  }
  disk.cut_power(simulation::Damage::kDropped);
}

}  // namespace

TEST_CASE("an artifact that is said to be whole outlives a power cut, whatever failed",
          "[artifacts]") {
  for (std::uint64_t operation = 0; operation < 20; ++operation) {
    SimDisk disk(1);
    disk.fail_operation(operation);
    fail_and_go_on(disk);
    REQUIRE(content_of(disk) == kContent);
  }
  SimDisk disk(1);
  disk.fail_next_sync();  // Drops what it should have written; it can still be read.
  fail_and_go_on(disk);
  REQUIRE(content_of(disk) == kContent);
}

TEST_CASE("an upload that broke off goes on; a wrong digest begins anew", "[artifacts]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  {
    ArtifactShelf shelf(*directory, kNow);
    ArtifactStore store(shelf);
    REQUIRE(store.put("alice", kName, kContent.size(), 0, kContent.substr(0, 1000))->have == 1000);
    REQUIRE(store.put("alice", kName, kContent.size(), 2000, "not what comes next")->have == 1000);
  }
  ArtifactShelf shelf(*directory, kNow);
  ArtifactStore store(shelf);
  REQUIRE(store.put("alice", kName, kContent.size(), 0, "")->have == 1000);
  const auto wrong = store.put("alice", kName, kContent.size(), 1000, std::string(4000, 'z'));
  REQUIRE_FALSE(wrong);
  REQUIRE(store.put("alice", kName, kContent.size(), 0, "")->have == 0);
  put_all(store);
  REQUIRE(store.get(kName, 2999, 2)->bytes == "ab");
}

TEST_CASE("only what is still to come needs room", "[artifacts]") {
  constexpr std::uint64_t kFloor = 256ULL << 20;
  SimDisk disk(1);
  const auto directory = disk.open();
  for (int life = 0; life < 2; ++life) {
    ArtifactShelf shelf(*directory, kNow);
    ArtifactStore store(shelf);
    const std::uint64_t have = life == 0 ? 0 : 4000;
    disk.set_free_bytes(kFloor + kContent.size() - have - 1);
    REQUIRE_FALSE(store.put("alice", kName, kContent.size(), have, kContent.substr(have, 4000)));
    disk.set_free_bytes(kFloor + kContent.size() - have);
    const auto progress =
        store.put("alice", kName, kContent.size(), have, kContent.substr(have, 4000));
    REQUIRE(progress);
    REQUIRE(progress->is_whole == (life == 1));
  }
}

TEST_CASE("what makes no sense is refused by name", "[artifacts]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  ArtifactShelf shelf(*directory, kNow);
  ArtifactStore store(shelf);
  REQUIRE_FALSE(store.put("alice", "../../etc/passwd", 4, 0, "root"));
  REQUIRE_FALSE(store.get("lock", 0, 4));
  REQUIRE_FALSE(store.put("alice", kName, 10, UINT64_MAX, "more"));
  disk.set_free_bytes(1 << 20);
  REQUIRE(store.put("alice", kName, 10, 0, "0123").error().message ==
          "artifact " + kName + ": 10 bytes, the sink's disk has no room");
}

TEST_CASE("a piece from beyond an artifact's end is refused, at any offset", "[sink]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  ArtifactShelf shelf(*directory, kNow);
  ArtifactStore store(shelf);
  put_all(store);
  REQUIRE(store.get(kName, kContent.size(), 10)->bytes.empty());
  for (const std::uint64_t offset :
       std::vector<std::uint64_t>{kContent.size() + 1, 1ULL << 63, UINT64_MAX})
    REQUIRE_FALSE(store.get(kName, offset, 10));
}

TEST_CASE("what was put becomes an artifact by a commit, together with others", "[artifacts]") {
  SimDisk disk(1);
  const auto other = kContent + "c";
  const auto other_name = hex(process::sha256(other));
  {
    const auto directory = disk.open();
    ArtifactShelf shelf(*directory, kNow);
    ArtifactStore store(shelf);
    REQUIRE(store.put("alice", kName, kContent.size(), 0, kContent)->is_whole);
    REQUIRE(store.put("bob", other_name, other.size(), 0, other)->is_whole);
    REQUIRE(store.put("bob", kName, kContent.size(), 0, "")->is_whole);  // Said again meanwhile.
    REQUIRE(store.uncommitted() == 2);
    REQUIRE_FALSE(directory->has(kName));
    store.commit();
    REQUIRE(store.uncommitted() == 0);
  }
  disk.cut_power(simulation::Damage::kDropped);
  const auto directory = disk.open();
  ArtifactShelf shelf(*directory, kNow);
  ArtifactStore store(shelf);
  REQUIRE(store.get(kName, 0, kContent.size())->bytes == kContent);
  REQUIRE(store.get(other_name, 0, other.size())->bytes == other);
}

TEST_CASE("many files are synced at once, and a disk that fails one of them fails all",
          "[artifacts]") {
  auto path = (std::filesystem::temp_directory_path() / "eole-artifacts-XXXXXX").string();
  REQUIRE(::mkdtemp(path.data()) != nullptr);
  {
    const auto directory = storage::open_directory(path);
    ArtifactShelf shelf(*directory, kNow);
    ArtifactStore store(shelf, 4);
    for (int i = 0; i < 50; ++i) {
      const auto content = std::to_string(i);
      REQUIRE(store.put("", hex(process::sha256(content)), content.size(), 0, content)->is_whole);
    }
    store.commit();
    for (int i = 0; i < 50; ++i) REQUIRE(directory->has(hex(process::sha256(std::to_string(i)))));
  }
  std::filesystem::remove_all(path);
  SimDisk disk(1);
  const auto directory = disk.open();
  ArtifactShelf shelf(*directory, kNow);
  ArtifactStore store(shelf, 2);
  REQUIRE(store.put("", kName, kContent.size(), 0, kContent)->is_whole);
  disk.fail_next_sync();
  REQUIRE_THROWS_AS(store.commit(), storage::StorageFailure);
  REQUIRE_FALSE(directory->has(kName));
}

TEST_CASE("nobody spoils an upload of another by a wrong size or a wrong byte", "[artifacts]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  ArtifactShelf shelf(*directory, kNow);
  ArtifactStore store(shelf);
  REQUIRE(store.put("mallory", kName, kContent.size() + 1, 0, "x")->have == 1);
  REQUIRE(store.put("mallory", kName, kContent.size(), 0, "X")->have == 1);
  put_all(store);
  REQUIRE(store.get(kName, 0, kContent.size())->bytes == kContent);
  // Of another size, also by the same user.
  const auto content = kContent + "c";
  const auto name = hex(process::sha256(content));
  REQUIRE(store.put("alice", name, 10, 0, "x")->have == 1);
  REQUIRE(store.put("alice", name, content.size(), 0, content)->is_whole);
}

TEST_CASE("uploads that are never finished take up a bounded number of files", "[artifacts]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  const auto parts = [&] {
    std::size_t count = 0;
    for (const auto& name : directory->list()) count += name.ends_with(".part") ? 1 : 0;
    return count;
  };
  for (int life = 0; life < 2; ++life) {
    ArtifactShelf shelf(*directory, kNow);
    ArtifactStore store(shelf);
    if (life == 0) REQUIRE(store.put("alice", kName, kContent.size(), 0, "a")->have == 1);
    for (int i = 0; i < 1100; ++i) {
      const auto name = hex(process::sha256(std::to_string(life * 5000 + i)));
      REQUIRE(store.put("mallory", name, 100, 0, "few bytes")->have == 9);
    }
    REQUIRE(parts() == 1025);
    REQUIRE(store.put("alice", kName, kContent.size(), 0, "")->have == 1);  // Others' stay.
  }
}

TEST_CASE("a file that is handed over becomes an artifact once all of it was looked at",
          "[artifacts]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  const std::string file(32, 'a');
  {
    ArtifactShelf shelf(*directory, kNow);
    ArtifactStore store(shelf);
    directory->create(file + ".handed")->write(0, kContent);
    REQUIRE(store.hand(file, 10, false)->have == 10);
    REQUIRE(store.hand(file, 10, false)->sha256.empty());
    REQUIRE(store.hand(file, kContent.size(), true)->sha256 == kName);
    REQUIRE(store.hand(file, kContent.size(), true)->sha256.empty());  // Said again meanwhile.
    REQUIRE_FALSE(directory->has(kName));
    // The same, by another.
    const std::string other(32, 'b');
    directory->create(other + ".handed")->write(0, kContent);
    REQUIRE(store.hand(other, kContent.size(), true)->sha256 == kName);
    REQUIRE(store.uncommitted() == 2);
    REQUIRE_THROWS_AS(directory->remove(file + ".handed"), storage::Missing);  // Too late.
    store.commit();
    REQUIRE(store.uncommitted() == 0);
    REQUIRE_FALSE(store.hand(file, kContent.size(), true));
  }
  disk.cut_power();
  const auto after = disk.open();
  ArtifactShelf shelf(*after, kNow);
  ArtifactStore store(shelf);
  REQUIRE(store.get(kName, 0, kContent.size())->bytes == kContent);
  REQUIRE(after->list() == std::vector<std::string>{kName});
}

TEST_CASE("a file that is handed over is looked at before its writer asks again", "[artifacts]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  ArtifactShelf shelf(*directory, kNow);
  ArtifactStore store(shelf);
  const std::string content(20 << 20, 'x');  // At most 8 MiB are looked at for one question.
  const std::string file(32, 'a'), other(32, 'b');
  const auto all_ahead = [&] {
    while (store.look_ahead()) {
    }
  };
  REQUIRE_FALSE(store.look_ahead());
  for (const auto& name : {file, other}) directory->create(name + ".handed")->write(0, content);
  REQUIRE(store.hand(file, content.size() - 1, false)->have == 8 << 20);
  REQUIRE(store.hand(other, content.size(), false)->have == 8 << 20);
  all_ahead();
  REQUIRE(store.hand(file, content.size() - 1, false)->have == content.size() - 1);
  REQUIRE(store.hand(file, content.size(), true)->sha256 == hex(process::sha256(content)));
  REQUIRE_FALSE(store.look_ahead());
  // One that became shorter, and one that was taken back.
  REQUIRE(store.hand(other, content.size(), true)->sha256 == hex(process::sha256(content)));
  store.commit();
  directory->create(file + ".handed")->write(0, content + "y");
  REQUIRE(store.hand(file, content.size(), false)->have == 8 << 20);
  directory->open(file + ".handed")->truncate(9 << 20);
  all_ahead();
  REQUIRE_FALSE(store.hand(file, content.size(), false));
  directory->create(other + ".handed")->write(0, content + "z");
  REQUIRE(store.hand(other, content.size(), false)->have == 8 << 20);
  directory->remove(other + ".handed");
  all_ahead();
  REQUIRE_FALSE(store.hand(other, content.size(), false));
}

TEST_CASE("a file that is handed over wrongly is refused, and none is believed after a start",
          "[artifacts]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  ArtifactShelf shelf(*directory, kNow);
  ArtifactStore store(shelf);
  const std::string file(32, 'a');
  for (const std::string bad : {"", "../x", "A", "lock"}) REQUIRE_FALSE(store.hand(bad, 1, true));
  REQUIRE_FALSE(store.hand(file, 1, false));
  const auto make = [&] { directory->create(file + ".handed")->write(0, kContent); };
  make();
  REQUIRE_FALSE(store.hand(file, kContent.size() + 1, false));  // Shorter.
  REQUIRE_FALSE(directory->has(file + ".handed"));
  make();
  REQUIRE_FALSE(store.hand(file, kContent.size() - 1, true));  // Longer.
  make();
  REQUIRE(store.hand(file, 10, false));
  REQUIRE_FALSE(store.hand(file, 9, false));  // What it had looked at was no more.
  make();
  REQUIRE(store.hand(file, 10, false));
  const auto again = disk.open();
  ArtifactShelf next_shelf(*again, kNow);
  ArtifactStore next(next_shelf);
  REQUIRE_FALSE(next.hand(file, 10, false));
}

TEST_CASE("a writer that takes its file back, at any moment, costs the others nothing",
          "[artifacts]") {
  auto path = (std::filesystem::temp_directory_path() / "eole-artifacts-XXXXXX").string();
  REQUIRE(::mkdtemp(path.data()) != nullptr);
  {
    const auto directory = storage::open_directory(path);
    ArtifactShelf shelf(*directory, kNow);
    ArtifactStore store(shelf);
    const std::string file(32, 'a');
    std::atomic<bool> has_ended = false;
    std::jthread writer([&] {
      for (int i = 0; i < 3000; ++i) {
        directory->create(file + ".handed")->write(0, kContent);
        std::filesystem::remove(path + "/" + file + ".handed");
      }
      has_ended = true;
    });
    while (!has_ended) {
      (void)store.hand(file, 10, false);
      if (store.hand(file, kContent.size(), true)) store.commit();
    }
    REQUIRE(store.uncommitted() == 0);
  }
  std::filesystem::remove_all(path);
}

namespace {

constexpr std::int64_t kHour = 60LL * 60 * 1000;
constexpr std::int64_t kDay = 24 * kHour;

/// A sink's artifacts and its clock.
struct Shelf {
  SimDisk disk{1};
  std::int64_t now = kNow;
  std::unique_ptr<storage::Directory> directory;
  std::optional<ArtifactShelf> shelf;
  std::optional<ArtifactStore> store;

  Shelf() {
    disk.set_clock([this] { return now; });
    directory = disk.open();
    shelf.emplace(*directory, now);
    store.emplace(*shelf);
  }
  void pass(std::int64_t time, std::int64_t superfluous_before) {
    now += time;
    shelf->set_times(now, superfluous_before);
  }
  void collect() {
    while (store->collect_some()) {
    }
  }
  bool has(const std::string& name) const { return directory->has(name); }
  protocol::Value told() const {
    protocol::Value status = protocol::Value::Map{};
    shelf->tell(status);
    return status;
  }
};

std::string raw(const std::string& sha256) {
  std::string bytes;
  for (std::size_t i = 0; i < 64; i += 2)
    bytes += static_cast<char>(std::stoi(sha256.substr(i, 2), nullptr, 16));
  return bytes;
}

}  // namespace

TEST_CASE("what was put last before the time that is told is collected, and counted",
          "[artifacts]") {
  Shelf here;
  put_all(*here.store);
  here.pass(kDay, kNow);
  here.collect();
  REQUIRE(here.has(kName));
  REQUIRE(here.told()["artifacts"].int_or(0) == 1);
  REQUIRE(here.told()["artifact_bytes"].int_or(0) == 5000);
  here.pass(kHour, kNow + 1);
  here.collect();
  REQUIRE(here.disk.names().empty());
  const auto told = here.told();
  REQUIRE(told["artifacts"].int_or(9) == 0);
  REQUIRE(told["artifact_bytes"].int_or(9) == 0);
  REQUIRE(told["artifacts_collected"].int_or(0) == 1);
  REQUIRE(told["artifact_bytes_collected"].int_or(0) == 5000);
  REQUIRE(here.store->get(kName, 0, 1).error().message ==
          "artifact " + kName + ": is not kept there, or not any longer");
}

TEST_CASE("who is told that an artifact is whole may rely on it from then on", "[artifacts]") {
  Shelf here;
  put_all(*here.store);
  here.pass(2 * kDay, sink::kAllKept);
  REQUIRE(here.store->put("bob", kName, kContent.size(), 0, "")->is_whole);
  here.disk.cut_power(simulation::Damage::kDropped);
  here.pass(kDay - kHour, kNow + 2 * kDay);
  here.collect();
  REQUIRE(here.has(kName));
}

TEST_CASE("a result that is taken names its artifacts anew", "[artifacts]") {
  Shelf here;
  put_all(*here.store);
  here.pass(2 * kDay, sink::kAllKept);
  const auto kept = raw(kName);
  const std::string unknown(32, '0');
  REQUIRE(here.shelf->missing({kept, unknown}, here.now) == sink::MissingArtifacts{unknown});
  here.pass(kHour, kNow + 2 * kDay);
  here.collect();
  REQUIRE(here.has(kName));
}

TEST_CASE("an upload that nobody went on with for a day is removed", "[artifacts]") {
  Shelf here;
  const auto parts = [&] { return here.disk.names().size(); };
  REQUIRE(here.store->put("alice", kName, kContent.size(), 0, "aaa")->have == 3);
  here.pass(kDay, sink::kAllKept);
  here.collect();
  REQUIRE(parts() == 1);
  REQUIRE(here.store->put("alice", kName, kContent.size(), 3, "aaa")->have == 6);
  here.pass(kDay, sink::kAllKept);
  here.collect();
  REQUIRE(parts() == 1);
  here.pass(1, sink::kAllKept);
  here.collect();
  REQUIRE(parts() == 0);
  REQUIRE(here.store->put("alice", kName, kContent.size(), 6, "aaa")->have == 0);
  put_all(*here.store);
}

TEST_CASE("many files are looked at a few at a time, and others are left alone", "[artifacts]") {
  Shelf here;
  constexpr int kMany = 1000;
  for (int i = 0; i < kMany; ++i) here.directory->create(hex(process::sha256(std::to_string(i))));
  here.directory->create("00000001.seg");
  here.shelf.emplace(*here.directory, here.now);
  here.store.emplace(*here.shelf);
  here.pass(2 * kDay, kNow + 1);
  REQUIRE(here.store->collect_some());
  REQUIRE(here.disk.names().size() > kMany / 2);
  here.collect();
  REQUIRE(here.disk.names() == std::vector<std::string>{"00000001.seg"});
  REQUIRE(here.told()["artifacts_collected"].int_or(0) == kMany);
}

TEST_CASE("an artifact on its way out when the sink was killed goes at its next start",
          "[artifacts]") {
  Shelf here;
  here.directory->create("collected.tmp");
  here.shelf.emplace(*here.directory, here.now);
  REQUIRE(here.disk.names().empty());
}
