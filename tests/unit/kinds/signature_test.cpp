#include "common/kinds/signature.hpp"

#include <catch2/catch.hpp>

#include "common/process/signing.hpp"

using namespace eole;
using kinds::bytes_to_sign;

namespace {
protocol::Value json(std::string_view text) { return *protocol::Value::from_json(text); }
}  // namespace

TEST_CASE("the same arguments are the same bytes to sign, however they came", "[signature]") {
  const auto bytes = bytes_to_sign(json(R"({"argv": ["a"], "env": {"x": "1", "y": "2"}})"));
  CHECK(bytes_to_sign(json(R"({"env": {"y": "2", "x": "1"}, "argv": ["a"]})")) == bytes);
  CHECK(bytes_to_sign(json(R"({"env": {"y": "2", "x": "1"}, "signature": "s", "argv": ["a"]})")) ==
        bytes);
  for (const auto* other : {R"({"argv": ["a"]})", R"({"argv": ["b"], "env": {"x": "1", "y": "2"}})",
                            R"({"argv": ["a"], "env": {"x": "2", "y": "1"}})",
                            R"({"argv": ["a"], "env": {"x": "1", "y": "2", "signature": "s"}})",
                            R"({"argv": ["a"], "env": {"x": "1", "y": 2}})"})
    CHECK(bytes_to_sign(json(other)) != bytes);
}

TEST_CASE("a signature is of one key and of these bytes", "[signature]") {
  const auto key = process::new_signing_key();
  const auto known = process::public_key_of(key);
  const auto signature = process::signature_of(key, "bytes");
  CHECK(process::is_signature(signature, known, "bytes"));
  CHECK_FALSE(process::is_signature(signature, known, "byte"));
  CHECK_FALSE(process::is_signature(signature, process::public_key_of(process::new_signing_key()),
                                    "bytes"));
  CHECK_FALSE(process::is_signature(signature.substr(1), known, "bytes"));
}

TEST_CASE("a signature as text is read back, and anything else is refused", "[signature]") {
  const kinds::Signature signature{std::string(32, '\x01'), std::string(64, '\xff')};
  const auto text = signature.text();
  const auto read = kinds::Signature::of(text);
  REQUIRE(read);
  CHECK(read->public_key == signature.public_key);
  CHECK(read->bytes == signature.bytes);
  for (const auto& wrong : {std::string(), text.substr(1), text + "0", "-" + text.substr(1),
                            "g" + text.substr(1), text.substr(0, 64)})
    CHECK_FALSE(kinds::Signature::of(wrong));
}
