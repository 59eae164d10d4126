#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "common/base/text.hpp"
#include "common/kinds/kinds.hpp"

using namespace eole;

namespace {

std::string arguments_of(const kinds::Kind& kind) {
  if (kind.takes_anything) return "anything";
  std::string list;
  for (const auto& argument : kind.arguments) {
    list += text(list.empty() ? "" : ", ", "`", argument.name, "`", argument.is_needed ? "" : "?");
    if (!argument.fallback.empty()) list += text(" (", argument.fallback, ")");
  }
  std::string choice;
  for (const auto name : kind.one_of) choice += text(choice.empty() ? "" : ", ", name);
  return choice.empty() ? list : text(list, "; one of ", choice);
}

std::string table() {
  std::string rows = "| kind | arguments (JSON) | result |\n|---|---|---|\n";
  for (const auto& kind : kinds::all())
    rows += text("| `", kind.name, "` | ", arguments_of(kind), " | ", kind.result,
                 kind.needs_exec ? "; needs `--allow-exec`" : "", " |\n");
  return rows;
}

}  // namespace

TEST_CASE("the README's table of kinds is the table of kinds", "[kinds]") {
  const std::string path = EOLE_GOLDEN_DIR "/../../README.md";
  std::ifstream file(path);
  std::string readme(std::istreambuf_iterator<char>(file), {});
  const auto begin = readme.find("| kind | arguments");
  const auto end = readme.find("\n\n", begin);
  REQUIRE(end != std::string::npos);
  const auto rows = table();
  if (std::getenv("EOLE_BLESS") != nullptr) {
    readme.replace(begin, end + 1 - begin, rows);
    std::ofstream(path) << readme;
  } else {
    CHECK(readme.substr(begin, end + 1 - begin) == rows);
  }
}
