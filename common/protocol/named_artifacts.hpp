#pragma once
#include <cstddef>

namespace eole::protocol {

/// That the results of one message name, each time that one does. The sink looks at each file
/// before it takes them, and others wait: some milliseconds. One result names 255 at most.
constexpr std::size_t kArtifactsPerMessageMax = 1024;

}  // namespace eole::protocol
