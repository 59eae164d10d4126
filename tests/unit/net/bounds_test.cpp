#include "common/net/bounds.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/net/socket.hpp"

using namespace eole;

TEST_CASE("what waits for a peer that is away has a bound in bytes", "[net]") {
  net::Context context{net::ClusterFile{}};
  net::Socket socket(context, net::SocketType::kPush);
  const auto nobody = std::filesystem::temp_directory_path() / text("eole-nobody-", ::getpid());
  socket.connect("ipc://" + nobody.string());
  constexpr std::size_t kMiB = 1 << 20;
  std::size_t taken = 0;
  while (taken <= 2 * net::kOutboundBytesMax && socket.send({"head", Bytes(kMiB, 'x')}))
    taken += kMiB;
  REQUIRE(taken == net::kOutboundBytesMax);
  REQUIRE(socket.send({"head", "small ones are counted, not weighed"}));
}
