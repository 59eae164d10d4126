#pragma once
#include <string_view>
#include <vector>

namespace eole {

/// What stands between the commas; the whole, if there is none.
inline std::vector<std::string_view> between_commas(std::string_view list) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = list.find(',');
    parts.push_back(list.substr(0, end));
    if (end == std::string_view::npos) return parts;
    list.remove_prefix(end + 1);
  }
}

}  // namespace eole
