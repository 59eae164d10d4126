#include "common/base/base64.hpp"

#include <catch2/catch.hpp>

using namespace eole;

TEST_CASE("bytes are letters and bytes again", "[base64]") {
  for (const auto& [bytes, letters] : {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
                                       {"foob", "Zm9vYg=="}, {"\xff\xfe", "//4="}}) {
    REQUIRE(to_base64(bytes) == letters);
    REQUIRE(from_base64(letters) == Bytes(bytes));
  }
}

TEST_CASE("letters in any other form are none", "[base64]") {
  for (const auto* letters : {"Zg", "Zg=", "Zh==", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm-v", "Zm9 "}) {
    INFO(letters);
    REQUIRE_FALSE(from_base64(letters));
  }
}
