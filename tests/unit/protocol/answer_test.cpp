#include "common/protocol/answer.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::protocol;

TEST_CASE("an answer that no message can carry is a refusal that says so", "[messages]") {
  const auto small = encode_answer(Answer{7, Bytes(kFrameBytesMax, 'x')});
  REQUIRE(HeadReader::parse(small.head)->name() == "answer");
  const auto large = encode_answer(Answer{7, Bytes(kFrameBytesMax + 1, 'x')});
  const auto head = HeadReader::parse(large.head);
  REQUIRE(head->name() == "refused");
  const auto refused = decode<Refused>(*head, large.payload);
  REQUIRE(refused->request == 7);
  REQUIRE(refused->code == "too_large");
  REQUIRE(refused->reason == "answer: 10485761 bytes, limit 10485760");
}
