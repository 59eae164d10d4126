#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/base/ids.hpp"

namespace eole {

/// An exact set of sequence numbers, kept as disjoint closed ranges. Dense sequences make it a
/// handful of ranges however many tasks there were.
class SeqRanges {
 public:
  /// Adds first..last (first <= last); returns how many of them were new.
  std::uint64_t add(Seq first, Seq last);
  void remove(Seq first, Seq last);
  bool contains(Seq seq) const;
  /// The smallest number >= `from` that is not in the set.
  Seq first_missing(Seq from) const;
  /// The largest number in the set; zero if it is empty.
  Seq highest() const { return ranges_.empty() ? 0 : ranges_.rbegin()->second; }
  /// How many of first..last are in the set.
  std::uint64_t count_within(Seq first, Seq last) const;
  std::uint64_t count() const { return count_; }
  const std::map<Seq, Seq>& ranges() const { return ranges_; }

  /// Wire and disk form: pairs of u64, first and last, ascending.
  std::string encode() const;
  /// Adds what `encoded` holds; false (and an unchanged prefix added) if it is malformed.
  bool decode(std::string_view encoded);

  bool operator==(const SeqRanges&) const = default;

 private:
  std::map<Seq, Seq> ranges_;  // first -> last
  std::uint64_t count_ = 0;
};

}  // namespace eole
