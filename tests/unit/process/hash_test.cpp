#include <catch2/catch.hpp>

#include "common/base/ids.hpp"
#include "common/process/hash.hpp"

using namespace eole;
using process::Hash;

TEST_CASE("digests are those of the standards, in pieces too", "[process]") {
  Hash sha1(Hash::Of::kSha1);
  sha1.add("hello ");
  sha1.add("world");
  CHECK(hex(sha1.digest()) == "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed");
  CHECK(hex(process::sha256("hello world")) ==
        "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
}
