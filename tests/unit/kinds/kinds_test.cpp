#include "common/kinds/kinds.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;
using protocol::Value;

namespace {

std::string refusal(std::string_view kind, std::string_view json) {
  const auto fits = kinds::conform(*kinds::find(kind), *Value::from_json(json));
  return fits ? "taken" : fits.error().message;
}

}  // namespace

TEST_CASE("arguments of another type are refused by name", "[kinds]") {
  CHECK(refusal("exec", R"({"argv":["true"],"timeout":"1"})") ==
        R"(exec: timeout must be a number, not "1")");
  CHECK(refusal("exec", R"({"argv":["true"],"env":{"N":5}})") ==
        R"(exec: env must be a map of texts, not {"N":5})");
  CHECK(refusal("exec", R"({"argv":["true",1]})") ==
        R"(exec: argv must be a list of texts or bytes, not ["true",1])");
  CHECK(refusal("exec", R"({"argv":["wc"],"stdin":12345})") ==
        "exec: stdin must be a text or bytes, not 12345");
  CHECK(refusal("image", R"({"data":"x","width":10.5})") ==
        "image: width must be a whole number, not 10.5");
  CHECK(refusal("sleep", "3") == "sleep: its arguments must be a map of names and values");
}

TEST_CASE("a misspelt argument is refused with the one that was meant", "[kinds]") {
  CHECK(refusal("exec", R"({"argv":["true"],"tiemout":1})") ==
        "exec: tiemout is not one of its arguments; did you mean timeout?");
  CHECK(refusal("sleep", R"({"seconds":1,"colour":"red"})") ==
        "sleep: colour is not one of its arguments (seconds)");
  const Value twice = Value::Map{{"seconds", 1}, {"seconds", 2}};
  CHECK(kinds::conform(*kinds::find("sleep"), twice).error().message ==
        "sleep: seconds is there twice");
}

TEST_CASE("numbers and sizes outside their limits are refused with the limit", "[kinds]") {
  CHECK(refusal("image", R"({"data":"x","quality":101})") ==
        "image: quality is 101, allowed is 1 to 100");
  CHECK(refusal("download", R"({"url":"http://x/","size_max":-1})") ==
        text("download: size_max is -1, allowed is 0 to ", std::int64_t{1} << 50));
  CHECK(refusal("download", R"({"url":"http://x/","sha256":"ab"})") ==
        "download: sha256 must be a SHA-256: 64 lower-case hexadecimal letters");
  CHECK(refusal("exec", R"({"argv":[]})") == "exec: argv is 0 items, allowed is 1 to 65536 items");
}

TEST_CASE("what is no web address is refused by its scheme, and shows no password", "[kinds]") {
  const std::string must = "download: url must be http://… or https://…";
  CHECK(refusal("download", R"({"url":"HTTPS://host/"})") == "taken");
  CHECK(refusal("download", R"({"url":"gopher://bob:hunter2@host/x"})") ==
        must + ", not gopher://…");
  CHECK(refusal("download", R"({"url":"bob:hunter2@host/x"})") == must);
  CHECK(refusal("download", R"({"url":"//host/x"})") == must);
  CHECK(refusal("image", R"({"url":"file:///etc/passwd"})") ==
        "image: url must be http://… or https://…, not file://…");
  CHECK(refusal("download", R"({"url":"http://host/a\r\nX-Evil: 1"})") ==
        "download: url has a control character");
  CHECK(refusal("download", R"({"url":5})") == "download: url must be a URL as text, not 5");
}

TEST_CASE("what is missing or there twice is said", "[kinds]") {
  CHECK(refusal("sleep", "{}") == "sleep: seconds is missing (how long)");
  CHECK(refusal("exec", "{}") == "exec: needs one of argv, shell");
  CHECK(refusal("exec", R"({"argv":["a"],"shell":"b"})") ==
        "exec: needs one of argv, shell, not several");
}

TEST_CASE("what was left out gets its default, whole reals become integers", "[kinds]") {
  const std::string digest(64, 'a');
  const auto of_result = kinds::conform(
      *kinds::find("image"),
      Value::Map{{"artifact", Value::Map{{"sha256", digest}, {"bytes", 5}, {"name", "x"}}}});
  REQUIRE(of_result);
  CHECK((*of_result)["artifact"] == Value(digest));
  CHECK_FALSE(kinds::conform(*kinds::find("image"),
                             Value::Map{{"artifact", Value::Map{{"bytes", 5}}}}));
  const auto image = kinds::conform(*kinds::find("image"),
                                    *Value::from_json(R"({"data":"x","width":10.0,"name":null})"));
  REQUIRE(image);
  CHECK((*image)["quality"] == Value(85));
  CHECK((*image)["width"] == Value(10));
  CHECK((*image)["name"].is_null());
  const auto nap = kinds::conform(*kinds::find("sleep"), *Value::from_json(R"({"seconds":1})"));
  CHECK((*nap)["seconds"] == Value(1.0));
}

TEST_CASE("every default of the table fits its own limits", "[kinds]") {
  for (const auto& kind : kinds::all())
    for (const auto& argument : kind.arguments) {
      if (argument.fallback.empty()) continue;
      const kinds::Kind only{
          .name = kind.name, .about = {}, .result = {}, .arguments = {&argument, 1}};
      INFO(kind.name << " " << argument.name);
      CHECK(kinds::conform(only, Value(Value::Map{{std::string(argument.name),
                                                   *Value::from_json(argument.fallback)}})));
    }
}

TEST_CASE("what is true or false is that, and not a word for it", "[kinds]") {
  CHECK(refusal("image", R"({"data":"x","progressive":true})") == "taken");
  CHECK(refusal("image", R"({"data":"x","progressive":"yes"})") ==
        R"(image: progressive must be true or false, not "yes")");
  CHECK(refusal("image", R"({"data":"x","progressive":1})") ==
        "image: progressive must be true or false, not 1");
}

TEST_CASE("of a list of which there are few each is one of them", "[kinds]") {
  CHECK(refusal("image", R"({"data":"x","keep":["icc","exif"]})") == "taken");
  CHECK(refusal("image", R"({"data":"x","keep":["icc","gps"]})") ==
        "image: keep must be exif, icc or xmp, not gps");
}

TEST_CASE("a text of which there are few is one of them", "[kinds]") {
  CHECK(refusal("collect", R"({"how":"sum"})") == "taken");
  CHECK(refusal("collect", R"({"how":"glue"})") ==
        "collect: how must be concat, json, sum or manifest, not glue");
}
