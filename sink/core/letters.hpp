#pragma once
#include <map>

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"

namespace eole::sink {

/// The list of dead letters: the tasks that ended as such and that nobody discarded. Some 50 bytes
/// each, unless they are neighbours.
class Letters {
 public:
  void add(Origin origin, Seq first, Seq last) { letters_[origin].add(first, last); }
  void discard(Origin origin, const SeqRanges& seqs);
  bool has(const TaskId& id) const;
  /// Those of `seqs` that are on the list.
  SeqRanges of(Origin origin, const SeqRanges& seqs) const;
  const std::map<Origin, SeqRanges>& all() const { return letters_; }

 private:
  std::map<Origin, SeqRanges> letters_;
};

}  // namespace eole::sink
