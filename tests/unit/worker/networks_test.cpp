#include "worker/handlers/networks.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>

using eole::worker::Networks;

namespace {

bool may(const Networks& networks, const char* written) {
  sockaddr_storage address{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  if (::inet_pton(AF_INET, written, &v4.sin_addr) == 1) {
    address.ss_family = AF_INET;
  } else {
    REQUIRE(::inet_pton(AF_INET6, written, &v6.sin6_addr) == 1);
    address.ss_family = AF_INET6;
  }
  return networks.may_reach(reinterpret_cast<const sockaddr&>(address));
}

}  // namespace

TEST_CASE("only public addresses are reached unless others are allowed", "[networks]") {
  for (const auto* address : {"1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.0.1", "11.0.0.0",
                              "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"})
    CHECK(may({}, address));
  for (const auto* address : {"127.0.0.1",
                              "127.9.9.9",
                              "0.0.0.0",
                              "10.1.2.3",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.0.1",
                              "169.254.169.254",
                              "100.100.100.200",
                              "168.63.129.16",
                              "192.0.0.192",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "fe80::1",
                              "fd00:ec2::254",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::127.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b::a9fe:a9fe",
                              "2002:7f00:1::1",
                              "2001::1"})
    CHECK_FALSE(may({}, address));
}

TEST_CASE("a network that is allowed is reached, its neighbours are not", "[networks]") {
  const auto some = Networks::allowing("10.1.0.0/17,192.168.1.7,fd00:1::/32");
  REQUIRE(some);
  for (const auto* address : {"10.1.127.255", "192.168.1.7", "fd00:1:2::3", "::ffff:10.1.0.1"})
    CHECK(may(*some, address));
  for (const auto* address : {"10.1.128.0", "192.168.1.6", "192.168.1.8", "fd00:2::1", "::a01:1"})
    CHECK_FALSE(may(*some, address));
  CHECK(may(*Networks::allowing("0.0.0.0/0,::/0"), "127.0.0.1"));
  CHECK(may(*Networks::allowing("0.0.0.0/0,::/0"), "::1"));
  CHECK_FALSE(may(*Networks::allowing("0.0.0.0/0"), "::1"));
}

TEST_CASE("a network that was written otherwise is refused by name", "[networks]") {
  for (const auto* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.1/8", "10.0.0/8",
                          "localhost", "::/129", "10.0.0.0/8;", " ", "10.0.0.0/8,x"}) {
    const auto read = Networks::allowing(bad);
    REQUIRE_FALSE(read);
    CHECK(read.error().message.find("as in 10.0.0.0/8") != std::string::npos);
  }
}
