#pragma once
#include <string>
#include <string_view>

namespace eole::gateway::http {

/// A field's name, a coding, a type: what is the same in letters of any case.
inline std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& letter : out)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return out;
}

/// Without the blanks and tabs around it.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace eole::gateway::http
