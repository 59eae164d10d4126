#include "sink/core/words.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace eole::sink;

TEST_CASE("words are letters and digits, without case or the accents of Latin letters", "[words]") {
  CHECK(folded("Exit code: 3") == " exit code 3 ");
  CHECK(folded("  \t--") .empty());
  CHECK(folded("").empty());
  CHECK(folded("a") == " a ");
  CHECK(folded("Été à ŒUVRE, Größe Łódź") == " ete a œuvre große łodź ");
  CHECK(folded("ΑΒΓ Привет ЁЖ") == " αβγ привет ёж ");
  CHECK(folded("日本語、東京 a×b “q”…") == " 日本語 東京 a b q ");
  CHECK(folded("x\xff\xfey\xc3") == " x y ");
  CHECK(folded(std::string("nul\0in", 6)) == " nul in ");
}

TEST_CASE("a filter of words is never wrong about one that it has, and seldom about another", "[words]") {
  for (const int count : {0, 1, 10, 300, 3000, 20'000}) {
    INFO(count);
    WordFilter words;
    for (int i = 0; i < count; ++i) words.add(" w" + std::to_string(i) + " common ");
    const auto stored = words.stored();
    CHECK(stored.size() <= WordFilter::kBytesMax);
    CHECK((count > 300 || stored.size() <= 1024));
    WordFilter again(stored);
    REQUIRE(again.is_whole());
    int wrong = 0;
    for (int i = 0; i < 10'000; ++i)
      wrong += again.may_have(" x" + std::to_string(i) + " ") ? 1 : 0;
    CHECK((count > 3000 || wrong < 600));
    again.add(" later ");  // It grows on after a restart.
    const WordFilter grown(again.stored());
    bool has_all = grown.may_have(" later ");
    for (int i = 0; i < count; ++i)
      has_all = has_all && grown.may_have(" w" + std::to_string(i) + " common ");
    CHECK(has_all);
  }
  CHECK_FALSE(WordFilter().may_have(" a "));
  for (const auto size : {1, 63, 65, 96, 16'384}) CHECK_FALSE(WordFilter(std::string(size, 'x')).is_whole());
}
