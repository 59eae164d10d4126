#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace eole::cli {

/// A row of docs/bounds.md, which is part of the program.
struct Bound {
  std::string role;
  std::string name;
  std::string value;  // With its unit.
  std::string what;
  std::string beyond;
  bool operator==(const Bound&) const = default;
};
/// The rows of a page written like it, in its order.
std::vector<Bound> bounds_in(std::string_view page);

}  // namespace eole::cli
