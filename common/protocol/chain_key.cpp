#include "common/protocol/chain_key.hpp"

#include "common/base/crc32c.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace eole::protocol {

namespace {
constexpr std::string_view kBegin = "chain/";

// What is behind the last slash; a name may have some itself.
std::optional<std::string_view> take_last(std::string_view& path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos) return std::nullopt;
  const auto last = path.substr(slash + 1);
  path = path.substr(0, slash);
  return last;
}
}  // namespace

ChainKey chain_key(const Value& chain) {
  return {chain["name"].text_or(""), hex(std::uint64_t{crc32c(chain["task"].to_json())})};
}

std::string to_text(const ChainKey& key, std::uint64_t log, std::uint64_t offset) {
  return text(kBegin, key.name, "/", key.declared, "/", hex(log), "/", offset);
}

std::optional<ChainKey> parse_chain_key(std::string_view key) {
  if (!key.starts_with(kBegin)) return std::nullopt;
  key.remove_prefix(kBegin.size());
  if (!take_last(key) || !take_last(key)) return std::nullopt;
  const auto declared = take_last(key);
  if (!declared) return std::nullopt;
  return ChainKey{std::string(key), std::string(*declared)};
}

}  // namespace eole::protocol
