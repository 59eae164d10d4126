#pragma once
#include <memory>
#include <string>

#include "tests/simulation/sim_disk.hpp"

namespace eole::crash {

/// A store with a scripted life: it remembers what it promised, and can look whether that is
/// still there. Segments are small, so that they begin and end within a life.
class Subject {
 public:
  virtual ~Subject() = default;
  /// Lives on `disk` until the end or until the disk throws StorageFailure.
  virtual void live(simulation::SimDisk& disk) = 0;
  /// Opens what is on `disk`; throws StorageFailure if that is refused, std::runtime_error if a
  /// promise is broken.
  virtual void check(simulation::SimDisk& disk) = 0;
  /// Salvages `disk` to another one. Throws std::runtime_error if something that was promised is
  /// neither there nor told as lost. Returns how many promised records are told as lost.
  virtual std::uint64_t salvage(simulation::SimDisk& disk) = 0;
};

std::unique_ptr<Subject> make_journal_subject(std::uint64_t seed);
std::unique_ptr<Subject> make_log_subject(std::uint64_t seed);

constexpr std::uint64_t kSegmentBytes = 2048;
constexpr std::uint64_t kTurns = 32;

}  // namespace eole::crash
