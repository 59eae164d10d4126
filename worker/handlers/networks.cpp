#include "worker/handlers/networks.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "common/base/text.hpp"

namespace eole::worker {

namespace {

constexpr unsigned kMappedBits = 96;  // Of ::ffff:0:0/96, in front of an address of IPv4.
constexpr std::size_t kNetworksMax = 256;

// The special-purpose registries of IANA, but for what only documents, and what clouds use besides.
constexpr const char* kNotPublic[] = {
    "0.0.0.0/8",        "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",   "169.254.0.0/16",
    "172.16.0.0/12",    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4",
    "240.0.0.0/4",      "::/96",        "64:ff9b:1::/48", "100::/64",      "fc00::/7",
    "fe80::/10",        "fec0::/10",    "ff00::/8",       "2001::/23",
    "168.63.129.16/32",  // Azure answers there on every host.
};

}  // namespace

bool Networks::Network::has(const Address& other) const {
  const auto whole = bits / 8;
  if (std::memcmp(address.data(), other.data(), whole) != 0) return false;
  const auto rest = bits % 8;
  return rest == 0 || (address[whole] ^ other[whole]) >> (8 - rest) == 0;
}

Expected<Networks::Network> Networks::read(std::string_view written) {
  const auto wrong = [&](std::string_view why) {
    return Error{text("\"", written, "\": ", why, ", as in 10.0.0.0/8, fd00::/8, 127.0.0.1")};
  };
  const auto slash = written.find('/');
  const std::string host(written.substr(0, slash));
  Network network;
  const bool is_v4 = ::inet_pton(AF_INET, host.c_str(), &network.address[12]) == 1;
  if (is_v4) network.address[10] = network.address[11] = 0xff;
  if (!is_v4 && ::inet_pton(AF_INET6, host.c_str(), network.address.data()) != 1)
    return wrong("is no network");
  const unsigned most = is_v4 ? 32 : 128;
  unsigned bits = most;
  if (slash != written.npos) {
    const auto number = written.substr(slash + 1);
    const auto* end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, bits);
    if (rest != end || error != std::errc() || bits > most) return wrong("is no network");
  }
  network.bits = bits + (is_v4 ? kMappedBits : 0);
  for (auto bit = network.bits; bit < 128; ++bit)
    if ((network.address[bit / 8] >> (7 - bit % 8) & 1) != 0)
      return wrong("has bits behind its length");
  return network;
}

Expected<Networks> Networks::allowing(std::string_view list) {
  Networks networks;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto network = read(list.substr(0, comma));
    if (!network) return network.error();
    networks.allowed_.push_back(*network);
    if (networks.allowed_.size() > kNetworksMax)
      return Error{text("more than ", kNetworksMax, " networks")};
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return networks;
}

bool Networks::is_public(const Address& address) {
  static const auto kRefused = [] {
    std::vector<Network> all;
    for (const auto* written : kNotPublic) all.push_back(*read(written));
    return all;
  }();
  if (std::any_of(kRefused.begin(), kRefused.end(),
                  [&](const Network& network) { return network.has(address); }))
    return false;
  // An address of IPv4 in one of IPv6 (NAT64, 6to4): it is the one that is spoken to.
  static const auto kNat64 = *read("64:ff9b::/96");
  static const auto kSixToFour = *read("2002::/16");
  const auto within = [&](std::size_t at) {
    Address inner{};
    inner[10] = inner[11] = 0xff;
    std::copy_n(address.begin() + static_cast<std::ptrdiff_t>(at), 4, inner.begin() + 12);
    return inner;
  };
  if (kNat64.has(address)) return is_public(within(12));
  if (kSixToFour.has(address)) return is_public(within(2));
  return true;
}

bool Networks::may_reach(const sockaddr& address) const {
  Address raw{};
  if (address.sa_family == AF_INET) {
    raw[10] = raw[11] = 0xff;
    std::memcpy(&raw[12], &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else if (address.sa_family == AF_INET6) {
    std::memcpy(raw.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  } else {
    return false;
  }
  return is_public(raw) || std::any_of(allowed_.begin(), allowed_.end(),
                                       [&](const auto& network) { return network.has(raw); });
}

}  // namespace eole::worker
