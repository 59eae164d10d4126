#include "common/base/shown.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace std::string_literals;

TEST_CASE("what others wrote reaches a terminal without control sequences", "[shown]") {
  REQUIRE(shown("plain, é, 字, 🙂") == "plain, é, 字, 🙂");
  REQUIRE(shown("\x1b]0;x\x07\x1b[2J") == "\\x1b]0;x\\x07\\x1b[2J");
  REQUIRE(shown("a\0b\x7f"s) == "a\\x00b\\x7f");
  REQUIRE(shown("\xc2\x9b"
                "31m") == "\\u{9b}31m");  // C1 as UTF-8 …
  REQUIRE(shown("\x9b"
                "31m") == "\\x9b31m");  // … and as a byte.
  REQUIRE(shown("a\xe2\x80\xae"
                "b\xe2\x81\xa6") == "a\\u{202e}b\\u{2066}");
  REQUIRE(shown("\xc0\x80 \xed\xa0\x80 \xf5 \xe2\x80") ==
          "\\xc0\\x80 \\xed\\xa0\\x80 \\xf5 \\xe2\\x80");
  REQUIRE(shown("one\ntwo\t\r") == "one\\x0atwo\\x09\\x0d");
  REQUIRE(shown("one\ntwo\t\r", Keep::kLines) == "one\ntwo\t\\x0d");
}

TEST_CASE("JSON escapes what a terminal would take as a command", "[shown]") {
  REQUIRE(shown_json("{\"a\":\"b é\"}") == "{\"a\":\"b é\"}");
  REQUIRE(shown_json("\"\x7f\xc2\x9b\xe2\x80\xae\"") == "\"\\u007f\\u009b\\u202e\"");
}

TEST_CASE("the name of a file stays in its directory and fits", "[shown]") {
  REQUIRE(file_name("my report é.pdf") == "my report é.pdf");
  REQUIRE(file_name("../../evil") == ".._.._evil");
  REQUIRE(file_name("/etc/x") == "_etc_x");
  REQUIRE(file_name("a\nb\x1b") == "a_b_");
  for (const auto* none : {"", ".", "..", "/", "...", "\x01"}) REQUIRE(file_name(none).empty());
  const auto name = file_name(std::string(299, 'n') + ".tar");
  REQUIRE(name.size() == 255);
  REQUIRE(name.ends_with("nn.tar"));
  std::string accents;
  for (int i = 0; i < 200; ++i) accents += "é";
  REQUIRE(file_name(accents).size() == 254);  // Cut between two characters.
}

TEST_CASE("a line is cut between characters", "[shown]") {
  REQUIRE(cut_to("abc", 3) == "abc");
  REQUIRE(cut_to("abcd", 3) == "ab…");
  REQUIRE(cut_to("éééé", 3) == "éé…");
}
