#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"

/// Why an attempt failed, for a program to decide by: "exit:75" and "signal:9" of a command,
/// "http:503" of a download, "timeout" of any kind, "lost" where the task is not to blame (its
/// process died), the class of an error as a runner names it ("ValueError"), "error" of all else.
/// Where a list has "error", it means each class, too.
namespace eole::protocol {

inline constexpr std::string_view kCauseError = "error";
inline constexpr std::string_view kCauseLost = "lost";
inline constexpr std::string_view kCauseTimeout = "timeout";
constexpr std::size_t kCauseBytesMax = 64;
constexpr std::size_t kRetryOnBytesMax = 512;
constexpr std::uint32_t kRetryAfterMsMax = 86'400'000;  // A day; a longer wish counts as one.

/// Whether `list` names causes, with commas between them: "exit:75,exit:1-9,signal,timeout". A word
/// without a number means all that begin with it. Errors name the one that is wrong.
Expected<void> check_causes(std::string_view list);
/// What a program says of its own failure, if that is a cause and no other's to say; else "error".
std::string own_cause(std::string_view cause);
/// Whether a list that was checked has this cause.
bool has_cause(std::string_view list, std::string_view cause);

}  // namespace eole::protocol
