#pragma once
#include <optional>
#include <string>

namespace eole::process {

/// Takes the places of standard streams that came closed, so that no socket or file gets their
/// numbers. What is written to such an output is lost and told, as on a full disk. Call it first.
void hold_standard_streams();

/// Flushes standard output. Why something of it was lost, now or earlier; nothing if it is whole.
std::optional<std::string> lost_output();

/// Nobody can read standard output any more: the other end of its pipe is closed.
bool is_output_unread();

}  // namespace eole::process
