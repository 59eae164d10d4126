#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace eole {

/// The known word that was most likely meant: at most two letters (of short words one) are wrong,
/// missing, too many, or two neighbours changed places. Empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace eole
