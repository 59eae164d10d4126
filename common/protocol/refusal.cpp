#include "common/protocol/refusal.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.hpp"

namespace eole::protocol {

namespace {
constexpr auto kNames = std::to_array<std::pair<ErrorCode, std::string_view>>({
    {ErrorCode::kAway, "away"},
    {ErrorCode::kDenied, "denied"},
    {ErrorCode::kOutside, "outside"},
    {ErrorCode::kUnknown, "unknown"},
    {ErrorCode::kConflict, "conflict"},
    {ErrorCode::kKeyUsed, "key_used"},
    {ErrorCode::kTooLarge, "too_large"},
    {ErrorCode::kQuota, "quota"},
    {ErrorCode::kFull, "full"},
    {ErrorCode::kDamaged, "damaged"},
});
}  // namespace

std::string_view name_of(ErrorCode code) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const auto& named) { return named.first == code; });
  return found == kNames.end() ? "" : found->second;
}

ErrorCode code_of(std::string_view name) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const auto& named) { return named.second == name; });
  return found == kNames.end() ? ErrorCode::kBad : found->first;
}

Refused refused(std::uint64_t request, Error why) {
  return {request, std::move(why.message), std::string(name_of(why.code)), why.retry_after_ms};
}

Error error_of(std::string_view who, const Refused& refused) {
  return {text(who, ": ", refused.reason), code_of(refused.code), refused.retry_after_ms};
}

}  // namespace eole::protocol
