#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "ventilator/core/parts.hpp"

namespace eole::ventilator {

/// The answer that a repeated submit gets.
struct Answered {
  Seq first = 0;
  std::uint32_t count = 0;
  bool operator==(const Answered&) const = default;
};
struct KeyAnswered {
  std::string key;
  std::string hash;  // Of the tasks: a key is not used for others.
  Answered answered;
  TimePoint seen{};
};

/// Answers to submits with keys, oldest first, so that their tasks' numbers rise. Millions are kept
/// for a day, and a snapshot reads them all: they lie one behind another in pieces of memory, and
/// are found by hash, or by what the pieces begin with.
class KeyAnswers {
 public:
  /// The last that was added.
  std::optional<KeyAnswered> find(std::string_view key) const;
  /// That of the submit that this task came with.
  std::optional<KeyAnswered> of_task(Seq seq) const;
  /// Once: a snapshot, and each after it, says it again.
  void add(const KeyAnswered& answer);
  void forget_before(TimePoint time);
  void take_for_new(TimePoint now);
  /// As many bytes as a snapshot has of them.
  std::uint64_t bytes() const { return bytes_; }

  void save(SavePlace& place, Bytes& out) const;
  bool load(std::string_view payload);
  /// Once all are loaded: a snapshot was written while others were added, and so are read between
  /// its parts, and records that outlived older ones before it. Changes places: not while one is
  /// saved.
  void sort();

 private:
  // Behind it: the key, the hash of the tasks.
  struct Head {
    TimePoint seen;
    std::uint64_t before;  // Place of an older one whose key has the same hash, if it is kept.
    Seq first;
    std::uint32_t count;
    std::uint32_t key_bytes;
    std::uint32_t hash_bytes;
  };
  /// Of the last of this key; of the one that is `like` it, if that is not null.
  std::optional<std::uint64_t> place_of(std::string_view key, const KeyAnswered* like) const;
  static constexpr std::size_t kPieceBytes = 64 << 10;
  static constexpr std::uint64_t kPlaces = 1ULL << 32;  // Of each piece, numbered by its bytes.
  static constexpr std::size_t kShards = 256;  // So that no table grows in one long pause.
  // A hash of keys -> the place of the last one.
  using Places = std::unordered_map<std::uint64_t, std::uint64_t>;

  Places& shard_of(std::uint64_t hash) { return places_[hash % kShards]; }
  std::uint64_t end() const;
  /// The first place of an answer at or behind this one; or end().
  std::uint64_t from(std::uint64_t place) const;
  std::uint64_t next(std::uint64_t place) const;
  const char* at(std::uint64_t place) const;
  static Head head_in(const char* bytes);
  Head head(std::uint64_t place) const { return head_in(at(place)); }
  std::string_view key(std::uint64_t place) const;
  std::string_view hash(std::uint64_t place) const;
  KeyAnswered answer(std::uint64_t place) const;

  std::deque<std::string> pieces_;
  std::uint64_t first_piece_ = 0;  // The number of the oldest.
  std::uint64_t first_ = 0;        // Place of the oldest answer.
  std::uint64_t bytes_ = 0;
  std::array<Places, kShards> places_;
};

}  // namespace eole::ventilator
