#pragma once
#include <string>

namespace eole::cli {

/// "" if somebody takes connections there; else why not. Takes tcp://, http(s):// and ipc://
/// endpoints.
std::string unreached(const std::string& endpoint);

}  // namespace eole::cli
