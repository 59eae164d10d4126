#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>

#include "common/base/text.hpp"
#include "common/process/options.hpp"
#include "tests/crash/subject.hpp"

// ./dev crash: journal and log under every crash. Each I/O operation of a scripted life is where
// the power fails, with each kind of damage, and each operation of the recovery is where it fails
// again; each operation is also where the disk fails, once and for ever. Then bits are flipped and
// files cut in a store at rest.
namespace {

using namespace eole;
using crash::Subject;
using simulation::Damage;
using simulation::SimDisk;
using storage::StorageFailure;
using Make = std::function<std::unique_ptr<Subject>(std::uint64_t)>;

constexpr Damage kDamages[] = {Damage::kMixed,     Damage::kDropped, Damage::kTorn,
                               Damage::kReordered, Damage::kZeroed,  Damage::kStale};
constexpr std::uint64_t kHealthy = UINT64_MAX / 2;

struct Count {
  std::uint64_t images = 0;
  std::uint64_t violations = 0;
  std::uint64_t refused = 0;
  std::uint64_t harmless = 0;
};

// Runs `what`; a StorageFailure is the end of a process, anything else a violation.
bool survives(const std::function<void()>& what) {
  try {
    what();
    return true;
  } catch (const StorageFailure&) {
    return false;
  }
}

void report(Count& count, const std::string& where, const std::exception& error) {
  ++count.violations;
  if (count.violations <= 10) std::puts(text(where, ": ", error.what()).c_str());
}

// One life that ends at operation `at`, then recoveries that end at `again`, then a whole one.
// `is_failure`: the disk fails there instead of the power, for ever or once.
struct Crash {
  std::uint64_t at = 0;
  std::uint64_t again = 0;
  Damage damage = Damage::kMixed;
  bool is_failure = false;
  bool is_for_ever = true;
};

// Returns the operations that the last recovery took; zero if the life ended before `at`.
std::uint64_t run(const Make& make, std::uint64_t seed, const Crash& crash) {
  SimDisk disk(seed * 7919 + crash.at * 31 + crash.again);
  const auto subject = make(seed);
  disk.fail_operation(crash.at, crash.is_for_ever);
  if (survives([&] { subject->live(disk); }) && disk.operations() <= crash.at) return 0;
  if (!crash.is_failure) disk.cut_power(crash.damage);
  disk.fail_operation(crash.again, true);
  if (!survives([&] { subject->check(disk); })) disk.cut_power(crash.damage);
  disk.fail_operation(kHealthy);
  const auto before = disk.operations();
  subject->check(disk);
  const auto used = disk.operations() - before;
  disk.cut_power(crash.damage);  // What recovery showed is durable.
  subject->check(disk);
  return used + 1;
}

void crash_points(const Make& make, const std::string& name, std::uint64_t images, Count& count) {
  const auto end = count.images + images;
  for (std::uint64_t seed = 1; count.images < end; ++seed) {
    for (std::uint64_t at = 0;; ++at) {
      std::uint64_t recovery = 0;
      for (const auto damage : kDamages) {
        for (const bool is_failure : {false, true}) {
          std::uint64_t operations = 1;
          for (std::uint64_t again = 0; again <= operations; ++again) {
            const Crash crash{at, again == operations ? kHealthy : again, damage, is_failure,
                              !is_failure || seed % 2 == 0};
            ++count.images;
            try {
              const auto used = run(make, seed, crash);
              if (used == 0) break;
              if (again == 0) operations = std::max<std::uint64_t>(operations, used);
              recovery = used;
            } catch (const std::exception& error) {
              report(count,
                     text(name, " seed ", seed, ", operation ", at, ", again ", again, ", damage ",
                          static_cast<int>(damage), is_failure ? ", disk failure" : ""),
                     error);
            }
          }
        }
      }
      if (recovery == 0) break;  // The life was over before.
      if (count.images >= end) return;
    }
  }
}

constexpr std::uint64_t kFirstRecordsMax = 2048;  // They say whose journal it is.

void flips(const Make& make, const std::string& name, std::uint64_t wanted, Count& count) {
  std::mt19937_64 random(wanted);
  for (std::uint64_t i = 0; i < wanted; ++i) {
    const auto seed = i % 8 + 1;
    SimDisk disk(seed);
    const auto subject = make(seed);
    subject->live(disk);
    auto names = disk.names();
    std::erase_if(names, [](const auto& each) { return !each.ends_with(".seg"); });
    const auto file = names[random() % names.size()];
    const bool is_cut = random() % 8 == 0;
    const auto offset = random() % disk.size_of(file);
    is_cut ? disk.truncate(file, offset) : void(disk.flip_bit(file, offset));
    ++count.images;
    const auto where =
        text(name, " seed ", seed, ", ", file, is_cut ? " cut at " : " bit flip at ", offset);
    try {
      std::string refusal;
      try {
        subject->check(disk);
      } catch (const StorageFailure& failure) {
        refusal = failure.what();
      }
      if (refusal.empty()) {
        ++count.harmless;
        continue;
      }
      ++count.refused;
      if (refusal.find("damaged") == std::string::npos ||
          refusal.find("offset") == std::string::npos)
        throw std::runtime_error("refused without its place: " + refusal);
      std::uint64_t lost = 0;
      try {
        lost = subject->salvage(disk);
      } catch (const StorageFailure&) {  // Of the only segment nothing may be left.
        if (!is_cut || names.size() > 1 || offset > kFirstRecordsMax) throw;
      }
      if (!is_cut && lost > 16) throw std::runtime_error(text("a flip cost ", lost, " records"));
    } catch (const std::exception& error) {
      report(count, where, error);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t images = 100'000;
  std::uint64_t flipped = 100'000;
  process::Options parser("eole-crash",
                          "Journal and log under every crash, and with flipped bits.");
  parser.number("--images", images, "N", "images of crashes to recover from");
  parser.number("--flips", flipped, "N", "flipped bits and cut files");
  if (const auto code = parser.parse(argc, argv)) return *code;
  Count crashes;
  crash_points(crash::make_journal_subject, "journal", images / 2, crashes);
  crash_points(crash::make_log_subject, "log", images / 2, crashes);
  std::printf("crash points: %llu images, %llu violations\n",
              static_cast<unsigned long long>(crashes.images),
              static_cast<unsigned long long>(crashes.violations));
  Count damage;
  flips(crash::make_journal_subject, "journal", flipped / 2, damage);
  flips(crash::make_log_subject, "log", flipped / 2, damage);
  std::printf(
      "flips and cuts: %llu, refused with their place %llu, harmless %llu, %llu violations\n",
      static_cast<unsigned long long>(damage.images),
      static_cast<unsigned long long>(damage.refused),
      static_cast<unsigned long long>(damage.harmless),
      static_cast<unsigned long long>(damage.violations));
  return crashes.violations + damage.violations == 0 ? 0 : 1;
}
