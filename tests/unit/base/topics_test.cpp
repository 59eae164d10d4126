#include "common/base/topics.hpp"

#include <catch2/catch.hpp>

using eole::topic_of;
using eole::TopicPattern;

namespace {

bool fits(std::string_view pattern, std::string_view topic) {
  return eole::TopicPattern::parse(pattern)->matches(topic);
}

}  // namespace

TEST_CASE("a topic without wildcards is heard as it is written", "[topics]") {
  CHECK(fits("shop/echo/done", "shop/echo/done"));
  CHECK_FALSE(fits("shop/echo/done", "shop/echo/failed"));
  CHECK_FALSE(fits("shop/echo/done", "shop/echo"));
  CHECK_FALSE(fits("shop/echo", "shop/echo/done"));
  CHECK_FALSE(fits("shop/ech", "shop/echo"));
}

TEST_CASE("a star is any one word", "[topics]") {
  CHECK(fits("shop/*/failed", "shop/download/failed"));
  CHECK(fits("*/*/*", "shop/download/failed"));
  CHECK(fits("*/echo/done", topic_of("", "echo", "done")));
  CHECK_FALSE(fits("shop/*/failed", "shop/a/b/failed"));
  CHECK_FALSE(fits("shop/*", "shop"));
  CHECK_FALSE(fits("*", "shop/echo/done"));
}

TEST_CASE("a hash is any number of words", "[topics]") {
  CHECK(fits("#", "shop/echo/done"));
  CHECK(fits("#", ""));
  CHECK(fits("shop/#", "shop"));
  CHECK(fits("shop/#", "shop/echo/done"));
  CHECK(fits("#/failed", "failed"));
  CHECK(fits("#/failed", topic_of("a/b/c", "echo", "failed")));
  CHECK(fits("#/echo/*", "echo/echo/echo/done"));
  CHECK(fits("a/#/b/#/c", "a/b/b/x/c/c"));
  CHECK_FALSE(fits("#/failed", "shop/echo/done"));
  CHECK_FALSE(fits("a/#/b/#/c", "a/x/c"));
}

TEST_CASE("a pattern that stands for many ways to fit is still quick", "[topics]") {
  std::string pattern;
  std::string topic;
  for (int i = 0; i < 30; ++i) pattern += "#/a/";
  for (int i = 0; i < 500; ++i) topic += "a/";
  CHECK_FALSE(fits(pattern + "b", topic + "c"));
}

TEST_CASE("a pattern is written as it was read", "[topics]") {
  for (const auto* written : {"#", "shop/*/done", "/echo/", "a//b"})
    CHECK(TopicPattern::parse(written)->written() == written);
}

TEST_CASE("a pattern that nobody can mean is refused", "[topics]") {
  CHECK(TopicPattern::parse("shop/ech*/done").error().message ==
        "topic: ech*: * and # stand for words, and alone between slashes");
  CHECK(TopicPattern::parse("").error().message ==
        "topic: is empty, which none fits; # is for all");
  CHECK_FALSE(TopicPattern::parse("##"));
  CHECK_FALSE(TopicPattern::parse(std::string(2000, 'a')));
  std::string words = "a";
  for (int i = 0; i < 64; ++i) words += "/a";
  CHECK(TopicPattern::parse(words).error().message == "topic: 65 words, limit 64");
}
