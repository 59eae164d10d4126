#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/ids.hpp"
#include "common/base/seq_queue.hpp"
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

/// What clients asked and must hear again (ring rule S2): by the number of a request until its
/// client confirms that it has the answer, by key until it is old.
class Answers {
 public:
  /// Null if it is new.
  const KeyAnswered* find(const std::string& key) const;
  const Answered* find(RunId run, std::uint64_t request) const;
  /// Its client has had the answer: a late copy must not be taken for news.
  bool is_confirmed(RunId run, std::uint64_t request) const;

  void add(KeyAnswered answer);
  void add(RunId run, std::uint64_t request, std::uint64_t confirmed, Answered answer,
           TimePoint now);
  /// Those that were given before `time` are forgotten.
  void forget_before(TimePoint time);
  /// A start does not know how old they are.
  void take_for_new(TimePoint now);

  /// As many bytes as a snapshot has of them.
  std::uint64_t bytes() const { return key_bytes_ + requests_ * kRequestBytes; }
  /// How many a client has not confirmed.
  std::size_t unconfirmed(RunId run) const;

  /// For Part::kRequests and Part::kKeys.
  void save(SavePlace& place, Bytes& out) const;
  bool load(Part part, std::string_view payload);

 private:
  struct Client {
    std::uint64_t confirmed = 0;
    SeqQueue<Answered> answered;
    TimePoint seen{};
  };
  static constexpr std::size_t kRequestBytes = 8 + 8 + 8 + 8 + 4;
  static constexpr std::size_t kShards = 256;  // So that no table grows in one long pause.
  using Numbers = std::unordered_multimap<std::uint64_t, std::uint64_t>;

  const std::uint64_t* number_of(const std::string& key) const;
  Numbers& shard_of(std::uint64_t hash) { return numbers_[hash % kShards]; }
  void save_requests(SavePlace& place, Bytes& out) const;
  void save_keys(SavePlace& place, Bytes& out) const;

  std::map<RunId, Client> clients_;
  std::uint64_t requests_ = 0;
  std::deque<KeyAnswered> keys_;  // As they came, and so by age.
  std::uint64_t first_key_ = 0;   // The number of the oldest.
  std::uint64_t key_bytes_ = 0;
  std::array<Numbers, kShards> numbers_;  // Hash of a key -> its number.
};

}  // namespace eole::ventilator
