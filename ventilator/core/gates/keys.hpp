#pragma once
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "common/base/seq_table.hpp"
#include "ventilator/core/gates/gate.hpp"

namespace eole::ventilator {

/// Tasks of one key go one by one, in the order of their numbers: the next once the one before it is
/// settled. Keys are known by a hash of 64 bits: two that share one merely wait for each other.
class Keys : public Gate {
 public:
  explicit Keys(Origin origin) : origin_(origin) {}
  bool enter(const Arrival& arrival, const Moment& moment, const Ends& ends,
             Released& out) override;
  void on_ended(Seq first, Seq last, const Ends& ends, Released& out) override;
  void waiters_of(Seq seq, std::string_view project, std::size_t most, std::vector<Seq>& out) const override;
  std::optional<Why> why(Seq seq, const Moment& moment) const override;
  /// The last task of this key, behind which the next one goes; zero: there is none.
  Seq last_of(std::string_view key) const;

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

  Origin origin_;
  SeqTable<Keyed> keyed_;
  std::unordered_map<std::uint64_t, Line> lines_;
};

}  // namespace eole::ventilator
