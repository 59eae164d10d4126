#pragma once

namespace eole::picture {

/// Takes from this process all that decoding does not need: it ends with its worker, opens
/// nothing, starts nothing, and has bounds of memory, processor time and output (limits.hpp).
/// Before it reads a byte of the input.
void confine();

}  // namespace eole::picture
