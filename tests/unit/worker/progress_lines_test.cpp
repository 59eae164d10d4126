#include "worker/command/progress_lines.hpp"

#include <catch2/catch.hpp>

using eole::command::ProgressLines;
using Told = ProgressLines::Told;

namespace {

std::optional<Told> told(const std::string& bytes) {
  ProgressLines lines;
  lines.add(bytes);
  return lines.take();
}

}  // namespace

TEST_CASE("a command says how far it is in lines", "[progress]") {
  CHECK(told("5\n") == Told{5, 0, ""});
  CHECK(told("5/10\n") == Told{5, 10, ""});
  CHECK(told("5/10 page five\n") == Told{5, 10, "page five"});
  CHECK(told("5 pages\n") == Told{5, 0, "pages"});
  CHECK(told("linking\n") == Told{0, 0, "linking"});
  CHECK(told("5/10\nlinking\n") == Told{5, 10, "linking"});
  CHECK(told("5/10 a\n6/10\n") == Told{6, 10, ""});
  CHECK(told("\n") == Told{0, 0, ""});
}

TEST_CASE("numbers of another form are a text", "[progress]") {
  for (const std::string line :
       {"5/", "5/x", "5x", "-5", "5.5", "99999999999999999999", "5/10x", " 5"})
    CHECK(told(line + "\n") == Told{0, 0, line});
}

TEST_CASE("a line counts once it is whole, and a long one by its begin", "[progress]") {
  ProgressLines lines;
  lines.add("5/1");
  CHECK_FALSE(lines.take());
  lines.add("0 a\n7");
  CHECK(lines.take() == Told{5, 10, "a"});
  CHECK_FALSE(lines.take());
  lines.add(std::string(100000, 'x'));
  lines.add("\n");
  CHECK(lines.take()->text.size() == ProgressLines::kLineBytesMax);
}
