#pragma once
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

/// A kind of task that did not come with Eole, as its runner tells of it.
struct KindOffer {
  struct Argument {
    std::string name;
    std::string type;  // A word: "text", "integer" …
    bool is_needed = false;
    std::string fallback = {};  // As JSON; empty: none.
    bool operator==(const Argument&) const = default;
  };
  std::string name;
  std::string about = {};
  std::vector<Argument> arguments = {};  // None: it takes anything.
  bool operator==(const KindOffer&) const = default;
};

/// What one runner of a worker offers.
struct RunnerOffer {
  std::string name;     // Its command, as it may be shown.
  std::string problem;  // Why it cannot start, and so runs none of them; empty: it does.
  std::vector<KindOffer> kinds = {};
  bool operator==(const RunnerOffer&) const = default;
};

constexpr std::size_t kRunnersMax = 64;              // Of one worker.
constexpr std::size_t kOfferedKindsMax = 1024;       // Of all of its runners.
constexpr std::size_t kRunnersBytesMax = 256 << 10;  // All of it, encoded.
constexpr std::size_t kProblemBytesMax = 1024;       // Of what is kept of one problem.

/// Names travel with commas between them, and are words of a command line.
Expected<void> check_kind_name(std::string_view name);

/// {"name", "about", "arguments": [{"name", "type", "needed", "default"}]}, and back: what is not
/// there, or is something else, is empty.
Value view_of(const KindOffer& kind);
KindOffer kind_offer_of(const Value& view);

/// u32 size and one msgpack value: a list of {"name", "problem", "kinds"}.
Bytes encode_runners(const std::vector<RunnerOffer>& runners);
/// The same from hostile bytes; what is behind it stays in the reader. No bytes at all: none.
Expected<std::vector<RunnerOffer>> read_runners(ByteReader& reader);

}  // namespace eole::protocol
