#pragma once
#include "common/base/histogram.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

/// {"counts": [of each bucket, and of what is longer], "seconds": of all}.
inline Value view_of(const Histogram& histogram) {
  Value::Array counts;
  for (const auto count : histogram.counts()) counts.emplace_back(count);
  return Value::Map{{"counts", std::move(counts)},
                    {"seconds", static_cast<double>(histogram.sum_ms()) / 1000}};
}

}  // namespace eole::protocol
