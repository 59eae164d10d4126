#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/protocol/value.hpp"

namespace eole::protocol {

/// The key of a task that a chain makes: "chain/NAME/DECLARED/LOG/OFFSET". It says which record of
/// which log became one, once, and what the chain was then declared as: the ventilator takes it as
/// long as that holds, so that a chain which was removed makes no more.
struct ChainKey {
  std::string name;
  std::string declared;
  bool operator==(const ChainKey&) const = default;
};

/// chain: what was declared, with `name` and `task`.
ChainKey chain_key(const Value& chain);
std::string to_text(const ChainKey& key, std::uint64_t log, std::uint64_t offset);
/// Nothing if it is no such key.
std::optional<ChainKey> parse_chain_key(std::string_view key);

}  // namespace eole::protocol
