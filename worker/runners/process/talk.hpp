#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "worker/runners/frames/frames.hpp"

namespace eole::worker {

/// What one child may say when: how it introduces itself, and which runs it has. Errors are what
/// makes no sense. Pure.
class Talk {
 public:
  /// `kinds`: that it must offer; and so many runs at a time it must take.
  explicit Talk(std::vector<std::string> kinds = {}, std::uint64_t ahead = 1)
      : needed_(std::move(kinds)), needed_ahead_(ahead) {}

  Expected<void> hear(const frames::Hello& hello);
  Expected<void> hear(frames::Kind& kind);
  /// It has said hello, and all of its kinds.
  bool is_introduced() const { return hello_ && kinds_.size() == hello_->kinds; }
  /// How many runs it may have at a time.
  std::uint64_t ahead() const { return hello_ ? hello_->ahead : 1; }
  const std::vector<frames::Kind>& kinds() const { return kinds_; }

  /// The number of its next run.
  std::uint64_t begin() { return ++begun_; }
  std::uint64_t begun() const { return begun_; }
  /// Which run is meant: 0 the oldest that has not ended, which it is at; nothing: one that is
  /// over.
  Expected<std::optional<std::uint64_t>> meant(std::uint64_t number) const;
  /// That run is over; false if it was before.
  Expected<bool> end(std::uint64_t number);

 private:
  std::vector<std::string> needed_;
  std::uint64_t needed_ahead_;
  std::optional<frames::Hello> hello_;
  std::vector<frames::Kind> kinds_;
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
};

}  // namespace eole::worker
