#pragma once
#include <map>

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "sink/core/checkpoint.hpp"

namespace eole::sink {

/// The list of dead letters: the tasks that ended as such and that nobody discarded. Some 50 bytes
/// each, unless they are neighbours.
class Letters {
 public:
  void add(Origin origin, Seq first, Seq last) { letters_[origin].add(first, last); }
  void add(Origin origin, const SeqRanges& seqs);
  void add(const Letters& others);
  void discard(Origin origin, const SeqRanges& seqs);
  void discard(const Letters& others);
  bool has(const TaskId& id) const;
  std::uint64_t count() const;
  /// Those of `seqs` that are on the list.
  SeqRanges of(Origin origin, const SeqRanges& seqs) const;

  void save(SavePlace& place, Bytes& out) const;
  bool load(std::string_view payload);

 private:
  std::map<Origin, SeqRanges> letters_;
};

}  // namespace eole::sink
