#include "common/base/nearest.hpp"

#include <algorithm>

namespace eole {

namespace {

constexpr std::size_t kWordMax = 40;
constexpr std::size_t kShortWord = 4;

std::size_t distance(std::string_view a, std::string_view b) {
  const auto width = b.size() + 1;
  std::vector<std::size_t> cost((a.size() + 1) * width);
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      auto& here = cost[i * width + j];
      if (i == 0 || j == 0) {
        here = i + j;
        continue;
      }
      const bool is_same = a[i - 1] == b[j - 1];
      here = std::min({cost[(i - 1) * width + j] + 1, cost[i * width + j - 1] + 1,
                       cost[(i - 1) * width + j - 1] + (is_same ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        here = std::min(here, cost[(i - 2) * width + j - 2] + 1);
    }
  }
  return cost.back();
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > kWordMax) return {};
  std::string found;
  auto least = (word.size() <= kShortWord ? 1UL : 2UL) + 1;
  for (const auto& candidate : known)
    if (const auto far = distance(word, candidate); far < least) {
      least = far;
      found = candidate;
    }
  return found;
}

}  // namespace eole
