#pragma once
#include <string_view>

#include "worker/picture/make.hpp"

/// How the program ends: with one frame to its worker. A picture is decoded by a process that does
/// nothing else, so that whatever goes wrong simply ends it.
namespace eole::picture {

/// The reason is the task's error.
[[noreturn]] void fail(std::string_view reason);
[[noreturn]] void succeed(const Report& report);

}  // namespace eole::picture
