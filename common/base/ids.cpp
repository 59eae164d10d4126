#include "common/base/ids.hpp"

#include <charconv>

namespace eole {

namespace {
// Crockford's alphabet: no i, l, o, u, so that an id can be read aloud.
constexpr std::string_view kLetters = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kOriginLetters = 6;  // 6 * 5 bits = 30 bits
constexpr std::string_view kHex = "0123456789abcdef";
}  // namespace

std::string origin_text(Origin origin) {
  std::string out(kOriginLetters, '0');
  for (std::size_t i = kOriginLetters; i-- > 0; origin >>= 5) out[i] = kLetters[origin & 31];
  return out;
}

std::string to_text(const TaskId& id) {
  return origin_text(id.origin) + "-" + std::to_string(id.seq);
}

std::string to_text(const Lease& lease) {
  return std::to_string(lease.start) + "-" + std::to_string(lease.number);
}

std::optional<TaskId> parse_task_id(std::string_view written) {
  if (written.size() < kOriginLetters + 2 || written[kOriginLetters] != '-') return std::nullopt;
  TaskId id;
  for (const char letter : written.substr(0, kOriginLetters)) {
    const auto value = kLetters.find(letter);
    if (value == std::string_view::npos) return std::nullopt;
    id.origin = (id.origin << 5) | static_cast<Origin>(value);
  }
  const auto digits = written.substr(kOriginLetters + 1);
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), id.seq);
  if (failure != std::errc{} || end != digits.data() + digits.size() || id.seq == 0)
    return std::nullopt;
  return id;
}

std::string hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char raw : bytes) {
    const auto byte = static_cast<unsigned char>(raw);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string hex(std::uint64_t number) {
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; number >>= 4) out[i] = kHex[number & 15];
  return out;
}

bool is_sha256(std::string_view written) {
  return written.size() == 64 && written.find_first_not_of(kHex) == std::string_view::npos;
}

}  // namespace eole
