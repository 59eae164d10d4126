#include "common/process/certificate.hpp"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>

using namespace eole;

namespace {

struct Place {
  Place() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Place() { std::filesystem::remove_all(path); }
  std::string path = "/tmp/eole-unit-XXXXXX";
};

}  // namespace

TEST_CASE("a certificate of one's own is made once, and again for another address",
          "[certificate]") {
  const Place place;
  const auto first = process::own_certificate(place.path, "192.0.2.1");
  CHECK(process::own_certificate(place.path, "192.0.2.1").fingerprint == first.fingerprint);
  CHECK(process::own_certificate(place.path, "192.0.2.2").fingerprint != first.fingerprint);
}

TEST_CASE("a certificate whose key is another's is made anew", "[certificate]") {
  const Place place;
  const Place other;
  const auto first = process::own_certificate(place.path, "192.0.2.1");
  const auto others = process::own_certificate(other.path, "192.0.2.1");
  std::filesystem::copy_file(others.key_path, first.key_path,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK_THROWS(process::read_certificate(first.path, first.key_path));
  CHECK(process::own_certificate(place.path, "192.0.2.1").fingerprint != first.fingerprint);
}
