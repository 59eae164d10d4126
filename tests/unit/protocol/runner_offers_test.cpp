#include "common/protocol/runner_offers.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;
using namespace eole::protocol;

namespace {

std::string refused(const std::vector<RunnerOffer>& runners) {
  const auto encoded = encode_runners(runners);
  ByteReader reader(encoded);
  const auto read = read_runners(reader);
  return read ? "" : read.error().message;
}

std::vector<KindOffer> kinds(std::size_t count) {
  std::vector<KindOffer> kinds;
  for (std::size_t i = 0; i < count; ++i) kinds.push_back({text("kind", i)});
  return kinds;
}

}  // namespace

TEST_CASE("more runners, kinds or bytes than a worker may have are refused with the limit",
          "[offers]") {
  REQUIRE(refused({{"a", "", kinds(512)}, {"b", "", kinds(512)}}).empty());
  REQUIRE(refused({{"a", "", kinds(512)}, {"b", "", kinds(513)}}) ==
          "runners: 1025 kinds, limit 1024");
  REQUIRE(refused(std::vector<RunnerOffer>(65)) == "runners: 65 of them, limit 64");
  const auto large = refused({{"a", std::string(kRunnersBytesMax, 'x'), {}}});
  REQUIRE(large.ends_with("bytes, limit 262144"));
}

TEST_CASE("a kind whose name would be another list of kinds is refused", "[offers]") {
  REQUIRE(refused({{"a", "", {{"echo,sleep"}}}}) ==
          "runners: a kind echo,sleep: its name has a comma, a blank or no letters");
  REQUIRE(refused({{"a", "", {{""}}}}).find("has 0 bytes, allowed are 1 to 255") !=
          std::string::npos);
  REQUIRE(refused({{"a", "", {{std::string(256, 'k')}}}}).find("has 256 bytes") !=
          std::string::npos);
}

TEST_CASE("what is no list of runners is none of them, and no trouble", "[offers]") {
  for (const Value& odd : {Value(7), Value("x"), Value(Value::Map{{"kinds", 1}}),
                           Value(Value::Array{1, Value::Array{}, Value::Map{{"kinds", "x"}}})}) {
    const auto packed = odd.to_msgpack();
    Bytes encoded;
    put<std::uint32_t>(encoded, static_cast<std::uint32_t>(packed.size()));
    encoded += packed;
    ByteReader reader(encoded);
    const auto read = read_runners(reader);
    REQUIRE(read);
    for (const auto& runner : *read) REQUIRE(runner.kinds.empty());
  }
  ByteReader nothing("");
  REQUIRE(read_runners(nothing)->empty());
}
