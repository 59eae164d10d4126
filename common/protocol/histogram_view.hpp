#pragma once
#include "common/base/histogram.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

/// {"counts": [of each bucket, and of what is longer], "seconds": of all}.
template <const auto& kBounds>
Value view_of(const HistogramOf<kBounds>& histogram) {
  Value::Array counts;
  for (const auto count : histogram.counts()) counts.emplace_back(count);
  return Value::Map{{"counts", std::move(counts)},
                    {"seconds", static_cast<double>(histogram.sum_us()) / 1e6}};
}

/// {"p50", "p99"}: what so many of them took at most, in microseconds.
template <const auto& kBounds>
Value percentiles_of(const HistogramOf<kBounds>& histogram) {
  return Value::Map{{"p50", histogram.at_most_us(0.5)}, {"p99", histogram.at_most_us(0.99)}};
}

}  // namespace eole::protocol
