#include "common/protocol/json_reader.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "common/base/text.hpp"

using namespace eole;
using namespace eole::protocol;

// JSON is read in one way, judged by a reader that others wrote.

namespace {

using Judge = nlohmann::ordered_json;

Expected<Bytes> packed(std::string_view json) {
  JsonReader reader(json);
  Bytes out;
  if (!reader.pack(out) || !reader.end()) return reader.error();
  return out;
}

std::string why_not(std::string_view json) {
  const auto value = Value::from_json(json);
  const auto bytes = packed(json);
  REQUIRE_FALSE(value);
  REQUIRE_FALSE(bytes);
  REQUIRE(bytes.error().message == value.error().message);
  return value.error().message;
}

// What JSON allows, and nothing here does.
bool is_of_ours(const std::string& problem) {
  for (const auto* begin : {"JSON nested", "member ", "integer ", "number "})
    if (problem.starts_with(begin)) return true;
  return false;
}

const std::vector<std::string> kSamples{
    R"({"kind":"echo","args":{"text":"xxxxxxxxxxxxxxxxxxxxxxxx"},"priority":3,"after":["a","b"]})",
    R"([1,-2,0,-0,1.5,-0.0,1e3,1E-3,12345678901234567890,9223372036854775807,[[],{}]])",
    R"(["\u00e9\ud83d\ude00\n\t\"\\\/\b\f\r","é😀","",{"a":{"b":[null,true,false]}}])",
    R"( { "a" : [ 1 , 2 ] , "\u0062" : "c" , "base64" : "/w==" } )",
    R"([{"base64":"/w=="},{"base64":"no"},{"base64":1},{"base64":{}}])",
};

}  // namespace

TEST_CASE("what is packed from JSON is the msgpack of its value", "[json]") {
  std::string many = "[";
  for (int i = 0; i < 70'000; ++i) many += text(i == 0 ? "" : ",", i * 7919);
  std::string members = "{";
  for (int i = 0; i < 20; ++i) members += text(i == 0 ? "" : ",", "\"m", i, "\":", i);
  auto samples = kSamples;
  samples.push_back(many + "]");
  samples.push_back(members + "}");
  samples.push_back(text("\"", std::string(100'000, 'y'), "\""));
  for (const auto& json : samples) {
    const auto value = Value::from_json(json);
    REQUIRE(value);
    REQUIRE(*packed(json) == value->to_msgpack());
  }
}

TEST_CASE("what is no JSON is refused where it ceases to be", "[json]") {
  for (const auto& [json, at] : std::initializer_list<std::pair<const char*, int>>{
           {"", 1},           {" ", 2},           {"{bad", 2},
           {"{\"a\"}", 5},    {"{\"a\":}", 6},    {"[1,]", 4},
           {"{\"a\":1,}", 8}, {"[1 2]", 4},       {"nul", 4},
           {"truE", 4},       {"01", 2},          {"-", 2},
           {"1.", 3},         {".5", 1},          {"1e", 3},
           {"+1", 1},         {"\"a", 3},         {"\"\t\"", 2},
           {"\"\\x\"", 3},    {"1 1", 3},         {"\"\\u12\"", 3},
           {"'a'", 1},        {"[1}", 3},         {"NaN", 1},
           {"\"\xff\"", 2},   {"\xc3\xa9", 1},    {"\"\\ud800\"", 8},
           {"{\"a\" 1}", 6},  {"\"\xc0\x80\"", 2}}) {
    CAPTURE(json);
    REQUIRE(why_not(json) == text("not valid JSON at byte ", at));
  }
  REQUIRE(why_not("\"\\udc00\"").starts_with("not valid JSON"));
  REQUIRE(why_not(std::string("\"\0\"", 3)) == "not valid JSON at byte 2");
  REQUIRE(why_not(std::string("1\0", 2)) == "not valid JSON at byte 2");
}

TEST_CASE("what JSON allows and nobody can carry is refused by name", "[json]") {
  REQUIRE(why_not(R"({"a":1,"b":{"a":1},"a":3})") == "member a twice");
  REQUIRE(why_not(R"({"a":1,"\u0061":3})") == "member a twice");
  REQUIRE(why_not("1e400").starts_with("number 1e400"));
  REQUIRE(why_not(std::string(33, '[') + std::string(33, ']')) == "JSON nested more than 32 deep");
  REQUIRE(packed(std::string(32, '[') + std::string(32, ']')));
  std::string many = "{";
  for (int i = 0; i < 30; ++i) many += text("\"m", i, "\":1,");
  REQUIRE(why_not(many + "\"m17\":2}") == "member m17 twice");
  REQUIRE(*Value::from_json("1e-400") == Value(0.0));
  REQUIRE(*Value::from_json("-0") == Value(0));
}

TEST_CASE("damaged JSON is taken for what others take it for", "[json]") {
  std::mt19937 dice(7);
  const std::string_view letters = "{}[]\",:\\u0123456789-+.eEtrufalsn \n\xc3\xa9\x80\xff";
  for (int round = 0; round < 30'000; ++round) {
    auto json = kSamples[dice() % kSamples.size()];
    for (auto changes = 1 + dice() % 3; changes > 0; --changes) {
      const auto at = dice() % json.size();
      const auto letter = letters[dice() % letters.size()];
      switch (dice() % 3) {
        case 0:
          json[at] = letter;
          break;
        case 1:
          json.insert(at, 1, letter);
          break;
        default:
          json.erase(at, 1 + dice() % 2);
      }
    }
    CAPTURE(json);
    const auto judged = Judge::parse(json, nullptr, false);
    const auto value = Value::from_json(json);
    if (!value) {
      REQUIRE((judged.is_discarded() || is_of_ours(value.error().message)));
      why_not(json);
      continue;
    }
    REQUIRE_FALSE(judged.is_discarded());
    REQUIRE(Judge::parse(value->to_json()) == judged);
    REQUIRE(*packed(json) == value->to_msgpack());
  }
}
