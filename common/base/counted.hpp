#pragma once
#include <string>
#include <string_view>

#include "common/base/text.hpp"

namespace eole {

/// counted(1, "task") is "1 task", counted(2, "task") "2 tasks".
template <class Number>
std::string counted(Number count, std::string_view what) {
  return text(count, ' ', what, count == 1 ? "" : "s");
}

}  // namespace eole
