#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/ids.hpp"

namespace eole::ventilator {

/// Why a task is where it is: a code that scripts may rely on (docs/plans.md, "Explain"), and a
/// sentence.
struct Why {
  std::string code;
  std::string text;
  std::int64_t until_unix_ms = 0;  // When this reason is over, if that is known.
  std::vector<Seq> tasks = {};     // Those that it waits for, or some of them.
  bool operator==(const Why&) const = default;
};

}  // namespace eole::ventilator
