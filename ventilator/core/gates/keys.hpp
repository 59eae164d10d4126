#pragma once
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "common/base/seq_table.hpp"
#include "ventilator/core/gates/gate.hpp"
#include "ventilator/core/gates/key_rates.hpp"

namespace eole::ventilator {

/// Tasks of one key go one by one, in the order of their numbers: the next once the one before it is
/// settled, and its key's rate lets it. Keys are known by a hash of 64 bits: two that share one
/// merely wait for each other.
class Keys : public Gate {
 public:
  explicit Keys(Origin origin) : origin_(origin) {}
  bool enter(const Arrival& arrival, const Moment& moment, const Ends& ends,
             Released& out) override;
  void on_ended(Seq first, Seq last, const Ends& ends, Released& out) override;
  void on_deadline(const Moment& moment, Released& out) override;
  std::optional<TimePoint> next_deadline(const Moment&) const override {
    return rates_.next_deadline();
  }
  void waiters_of(Seq seq, std::string_view project, std::size_t most, std::vector<Seq>& out) const override;
  std::optional<Why> why(Seq seq, const Moment& moment) const override;
  /// The last task of this key, behind which the next one goes; zero: there is none.
  Seq last_of(std::string_view key) const;

  /// So many tasks of this key begin a second; zero: as many as can.
  void set_rate(const std::string& key, double per_second, TimePoint now);
  /// A task that was let go would begin anew. True: it is held again.
  bool hold_again(Seq seq, TimePoint now) { return rates_.hold(seq, now); }
  void on_leased(Seq first, std::uint64_t count, TimePoint now) {
    rates_.on_leased(first, count, now);
  }

 private:
  struct Keyed {
    std::uint64_t key = 0;
    Seq next = 0;           // The next one of its key; zero: it is the last.
    bool is_over = false;  // It ended before its turn.
  };
  struct Line {
    Seq first = 0;  // Whose turn it is.
    Seq last = 0;
  };
  void end(Seq seq, Released& out);
  static std::uint64_t hash_of(std::string_view key) {
    return std::hash<std::string_view>{}(key);
  }

  Origin origin_;
  SeqTable<Keyed> keyed_;
  std::unordered_map<std::uint64_t, Line> lines_;
  KeyRates rates_;
  TimePoint now_{};  // As of the last turn: ends come with no time.
};

}  // namespace eole::ventilator
