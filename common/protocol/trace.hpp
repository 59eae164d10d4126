#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"

/// The trace that a task is part of: W3C Trace Context, level 1, as a task carries it.
namespace eole::protocol {

/// 16 bytes that name the trace, 8 that name the span above the task, 1 of flags.
constexpr std::size_t kTraceBytes = 25;

/// Of a `traceparent`; nothing of one that is malformed, or whose ids are zero. One of a later
/// version is taken for what this version knows of it.
std::optional<Bytes> parse_traceparent(std::string_view written);
/// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"; empty of none.
std::string traceparent_of(std::string_view trace);
/// Whether neither id is zero.
bool is_trace(std::string_view trace);

}  // namespace eole::protocol
