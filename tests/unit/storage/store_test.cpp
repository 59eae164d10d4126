#include "common/storage/store.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <random>

#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::storage;
using eole::simulation::SimDisk;

namespace {

constexpr std::uint64_t kSegmentBytes = 2048;  // Small: segments begin and end in every test.

/// A store on a simulated disk, and what it showed when it was opened.
struct Opened {
  std::unique_ptr<Directory> directory;
  std::vector<std::string> shown;
  std::optional<Store> store;

  explicit Opened(SimDisk& disk, std::uint64_t entropy = 1) : directory(disk.open()) {
    store.emplace(
        *directory, StoreOptions{.segment_bytes = kSegmentBytes, .entropy = entropy},
        [this](Position, std::uint32_t, std::string_view payload) { shown.emplace_back(payload); });
  }
};

std::string record(std::uint64_t number) {
  return "record " + std::to_string(number) + std::string(number * 37 % 300, 'x');
}

// What must hold after any crash: all that was committed, in order, then perhaps some more.
void check_prefix(const std::vector<std::string>& shown, std::uint64_t first,
                  std::uint64_t committed, std::uint64_t appended) {
  REQUIRE(shown.size() + first >= committed);
  REQUIRE(shown.size() + first <= appended);
  for (std::uint64_t i = 0; i < shown.size(); ++i) REQUIRE(shown[i] == record(first + i));
}

}  // namespace

TEST_CASE("a store shows again what was committed, over many segments", "[store]") {
  SimDisk disk(1);
  std::vector<Position> places;
  {
    Opened opened(disk);
    for (std::uint64_t i = 0; i < 100; ++i) places.push_back(opened.store->append(1, record(i)));
    opened.store->commit();
    for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(opened.store->read(places[i]) == record(i));
    REQUIRE(opened.store->current_segment() > 5);
  }
  Opened again(disk, 2);
  check_prefix(again.shown, 0, 100, 100);
}

TEST_CASE("a record is readable before it is written", "[store]") {
  SimDisk disk(1);
  Opened opened(disk);
  const auto at = opened.store->append(1, "still in memory");
  REQUIRE(opened.store->read(at) == "still in memory");
}

TEST_CASE("one commit is one sync, whatever waits", "[store]") {
  SimDisk disk(1);
  Opened opened(disk);
  for (int i = 0; i < 5; ++i) opened.store->append(1, "x");
  opened.store->commit();
  opened.store->commit();
  REQUIRE(opened.store->syncs() == 1);
}

TEST_CASE("a segment that was set aside can begin on a full disk, also after a restart",
          "[store]") {
  SimDisk disk(1);
  std::uint64_t written = 0;
  {
    Opened opened(disk);
    REQUIRE(opened.store->keep_spare());
    disk.set_free_bytes(0);
    REQUIRE(opened.store->keep_spare());  // It is there.
    while (opened.store->has_spare()) opened.store->append(1, record(written++));
    opened.store->commit();
    REQUIRE_FALSE(opened.store->keep_spare());
    while (opened.store->room() > 400) opened.store->append(1, record(written++));
    opened.store->commit();
    const auto roll = [&] { opened.store->append(1, std::string(500, 'x')); };
    REQUIRE_THROWS_AS(roll(), StorageFailure);
  }
  disk.set_free_bytes(2 * kSegmentBytes);
  Opened again(disk, 2);
  check_prefix(again.shown, 0, written, written);
  REQUIRE(again.store->keep_spare());
}

TEST_CASE("on a disk with room for less than a segment a small one is begun", "[store]") {
  SimDisk disk(1);
  const auto directory = disk.open();
  Store store(*directory, {.segment_bytes = 4 << 20, .entropy = 1}, [](auto, auto, auto) {});
  store.append(1, std::string(3 << 20, 'x'));
  store.commit();
  disk.set_free_bytes(3 << 20);
  const auto at = store.append(1, std::string(1536 << 10, 'y'));
  store.commit();
  REQUIRE(at.segment == 2);
  REQUIRE(store.room() < 2 << 20);
  disk.set_free_bytes(64 << 20);
  REQUIRE(store.append(1, std::string(3 << 20, 'z')).segment == 3);
}

TEST_CASE("dropped segments are gone, the rest stays", "[store]") {
  SimDisk disk(1);
  std::uint64_t kept_from = 0;
  {
    Opened opened(disk);
    std::vector<Position> places;
    for (std::uint64_t i = 0; i < 60; ++i) places.push_back(opened.store->append(1, record(i)));
    opened.store->commit();
    const auto middle = places[40].segment;
    opened.store->drop_segments_below(middle);
    while (places[kept_from].segment < middle) ++kept_from;
    REQUIRE_THROWS_AS(opened.store->read(places[0]), StorageFailure);
  }
  Opened again(disk, 2);
  check_prefix(again.shown, kept_from, 60, 60);
}

TEST_CASE("no power cut at any operation loses a committed record", "[store]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SimDisk disk(seed);
    std::mt19937_64 random(seed);
    std::uint64_t committed = 0;
    std::uint64_t appended = 0;
    for (int life = 0; life < 4; ++life) {
      disk.fail_operation(random() % 40, true);
      try {
        Opened opened(disk, seed * 10 + static_cast<std::uint64_t>(life));
        check_prefix(opened.shown, 0, committed, appended);
        // What recovery shows is durable from then on, and nothing may take it back.
        committed = appended = opened.shown.size();
        while (appended < 200) {
          for (auto count = random() % 5 + 1; count > 0; --count) {
            ++appended;
            opened.store->append(1, record(appended - 1));
          }
          opened.store->commit();
          committed = appended;
        }
      } catch (const StorageFailure&) {  // The process ends; then the power fails, or not.
      }
      if (random() % 3 != 0) disk.cut_power();
      disk.fail_operation(UINT64_MAX / 2);
    }
    Opened last(disk, seed * 10 + 9);
    check_prefix(last.shown, 0, committed, appended);
  }
}

TEST_CASE("what a failed sync dropped is not believed after a restart", "[store]") {
  SimDisk disk(3);
  {
    Opened opened(disk);
    opened.store->append(1, record(0));
    opened.store->commit();
    opened.store->append(1, record(1));
    disk.fail_next_sync();
    REQUIRE_THROWS_AS(opened.store->commit(), StorageFailure);
  }
  {
    Opened restarted(disk, 2);  // The page cache still has it: shown, so it is written anew.
    check_prefix(restarted.shown, 0, 1, 2);
    if (restarted.shown.size() == 2) {
      disk.cut_power();
      Opened later(disk, 3);
      REQUIRE(later.shown.size() == 2);
    }
  }
}

TEST_CASE("damage before the last proven position is refused with its place", "[store]") {
  SimDisk disk(4);
  Position damaged;
  {
    Opened opened(disk);
    opened.store->append(1, record(0));
    damaged = opened.store->append(1, record(1));
    opened.store->commit();
    opened.store->append(1, record(2));  // States that the ones before were durable.
    opened.store->commit();
  }
  REQUIRE(disk.flip_bit("00000001.seg", damaged.offset + 30));
  REQUIRE_THROWS_WITH(Opened(disk, 2), Catch::Contains("damaged record at offset " +
                                                       std::to_string(damaged.offset)));
}

TEST_CASE("a torn tail is cut, and what came before is kept", "[store]") {
  SimDisk disk(5);
  Position last;
  {
    Opened opened(disk);
    opened.store->append(1, record(0));
    opened.store->commit();
    last = opened.store->append(1, record(1));
    opened.store->flush();
  }
  REQUIRE(disk.flip_bit("00000001.seg", last.offset + 30));
  Opened again(disk, 2);
  REQUIRE(again.shown == std::vector<std::string>{record(0)});
}

TEST_CASE("no flipped bit is silently lost or believed", "[store]") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 400; ++round) {
    SimDisk disk(static_cast<std::uint64_t>(round));
    {
      Opened opened(disk);
      for (std::uint64_t i = 0; i < 30; ++i) {
        opened.store->append(1, record(i));
        opened.store->commit();
      }
    }
    const auto names = disk.names();
    const auto name = names[random() % names.size()];
    disk.flip_bit(name, random() % disk.size_of(name));
    try {
      Opened again(disk, 2);
      // Only the very last commit can look like a torn tail: nothing behind it proves it.
      REQUIRE(again.shown.size() >= 29);
      for (std::uint64_t i = 0; i < again.shown.size(); ++i) REQUIRE(again.shown[i] == record(i));
    } catch (const StorageFailure&) {
    }
  }
}

TEST_CASE("a second store id is another store", "[store]") {
  SimDisk one(1);
  SimDisk two(2);
  REQUIRE(Opened(one, 5).store->id() != Opened(two, 6).store->id());
}
