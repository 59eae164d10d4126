#pragma once
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"

namespace eole::worker {

/// Which addresses a task may make this worker speak to. What is not public is refused unless the
/// operator allows it: a task's URL may come from anybody, and this machine sees more than they do.
class Networks {
 public:
  /// Public addresses alone.
  Networks() = default;
  /// … and these: "10.0.0.0/8,fd00::/8,192.168.1.7", with commas between them.
  static Expected<Networks> allowing(std::string_view list);

  /// Of an address of IPv4 or IPv6; all others are refused.
  bool may_reach(const sockaddr& address) const;

 private:
  using Address = std::array<std::uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d.
  struct Network {
    Address address{};
    unsigned bits = 0;
    bool has(const Address& other) const;
  };
  static Expected<Network> read(std::string_view written);
  static bool is_public(const Address& address);
  std::vector<Network> allowed_;
};

}  // namespace eole::worker
