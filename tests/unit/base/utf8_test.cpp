#include "common/base/utf8.hpp"

#include <catch2/catch.hpp>

using namespace eole;

TEST_CASE("bytes are text if they are UTF-8, in its shortest form and without surrogates",
          "[utf8]") {
  for (const auto* text : {"", "plain", "é", "\u20ac", "\U0001F600", "\xf4\x8f\xbf\xbf"})
    REQUIRE(is_utf8(text));
  for (const auto* bytes : {"\x80", "\xc0\xaf", "\xe2\x82", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xff",
                            "\xf4\x90\x80\x80", "\xf0\x8f\xbf\xbf", "a\xe2\x28\xa1"})
    REQUIRE_FALSE(is_utf8(bytes));
}

TEST_CASE("text is cut between characters, whichever byte the cut falls on", "[utf8]") {
  const std::string_view text = "a\u00e9\u20ac\U0001F600z";
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const auto head = text.substr(0, at);
    const auto tail = text.substr(at);
    REQUIRE(is_utf8(head.substr(0, head.size() - unfinished_at_end(head))));
    REQUIRE(is_utf8(tail.substr(unbegun_at_begin(tail))));
    REQUIRE((unfinished_at_end(head) > 0) == (unbegun_at_begin(tail) > 0));
  }
  REQUIRE(cut_text("a\u20acb", 4) == "a\u20ac");
  REQUIRE(cut_text("a\u20acb", 3) == "a");
  REQUIRE(cut_text("a\u20acb", 9) == "a\u20acb");
  REQUIRE(unfinished_at_end("\x80\x80\x80\x80") == 0);  // No text: nothing to wait for.
}
