#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "common/base/ids.hpp"
#include "common/base/seq_queue.hpp"
#include "common/base/time.hpp"
#include "ventilator/core/key_answers.hpp"
#include "ventilator/core/parts.hpp"

namespace eole::ventilator {

/// What clients asked and must hear again (ring rule S2): by the number of a request until its
/// client confirms that it has the answer, by key until it is old.
class Answers {
 public:
  /// Nothing if it is new.
  std::optional<KeyAnswered> find(std::string_view key) const { return keys_.find(key); }
  std::optional<KeyAnswered> of_task(Seq seq) const { return keys_.of_task(seq); }
  std::optional<Answered> find(RunId run, std::uint64_t request) const;
  /// Its client has had the answer: a late copy must not be taken for news.
  bool is_confirmed(RunId run, std::uint64_t request) const;

  void add(const KeyAnswered& answer) { keys_.add(answer); }
  void add(RunId run, std::uint64_t request, std::uint64_t confirmed, Answered answer,
           TimePoint now);
  /// Those that were given before `time` are forgotten.
  void forget_before(TimePoint time);
  /// A start does not know how old they are.
  void take_for_new(TimePoint now);

  /// As many bytes as a snapshot has of them.
  std::uint64_t bytes() const { return keys_.bytes() + requests_ * kRequestBytes; }
  /// How many a client has not confirmed.
  std::size_t unconfirmed(RunId run) const;

  /// For Part::kRequests and Part::kKeys.
  void save(SavePlace& place, Bytes& out) const;
  bool load(Part part, std::string_view payload);
  /// Once all are loaded, and before any are saved.
  void sort() { keys_.sort(); }

 private:
  struct Client {
    std::uint64_t confirmed = 0;
    SeqQueue<Answered> answered;
    TimePoint seen{};
  };
  static constexpr std::size_t kRequestBytes = 8 + 8 + 8 + 8 + 4;

  void save_requests(SavePlace& place, Bytes& out) const;
  bool load_requests(std::string_view payload);

  std::map<RunId, Client> clients_;
  std::uint64_t requests_ = 0;
  KeyAnswers keys_;
};

}  // namespace eole::ventilator
