#include "common/net/bounds.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <numeric>
#include <vector>

#include "common/base/text.hpp"
#include "common/net/socket.hpp"

using namespace eole;

namespace {

constexpr std::size_t kMiB = 1 << 20;

std::string nowhere(std::string_view name) {
  const auto path = std::filesystem::temp_directory_path() / text("eole-", ::getpid(), "-", name);
  return "ipc://" + path.string();
}

// A worker, as ZMTP 3.0 sees it, that says hello and reads nothing.
int connect_deaf(const std::string& place) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  place.copy(address.sun_path, sizeof address.sun_path - 1, place.find("//") + 2);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  std::string said("\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL", 16);
  said.resize(64);
  said += std::string("\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PULL", 28);
  REQUIRE(::write(fd, said.data(), said.size()) == static_cast<ssize_t>(said.size()));
  return fd;
}

// How many bytes it takes in messages of a MiB.
std::size_t fill(net::Socket& socket) {
  std::size_t taken = 0;
  while (taken <= 1024 * kMiB && socket.send({"head", Bytes(kMiB, 'x')})) taken += kMiB;
  return taken;
}

}  // namespace

TEST_CASE("what waits for peers that are away has a bound in bytes, for all of them together",
          "[net]") {
  net::Context context{net::ClusterFile{}};
  net::Socket socket(context, net::SocketType::kPush);
  net::Socket other(context, net::SocketType::kPush);
  socket.connect(nowhere("away"));
  other.connect(nowhere("away-too"));
  REQUIRE(fill(socket) == net::kOutboundBytesMax);
  REQUIRE(fill(other) == 0);
  REQUIRE_FALSE(socket.has_room(kMiB));
  REQUIRE(socket.send({"head", "small ones are counted, not weighed"}));
}

TEST_CASE("pipes that nobody reads have a bound each and together, and leave some to the next",
          "[net]") {
  net::Context context{net::ClusterFile{}};
  std::vector<net::Socket> pipes;
  std::vector<int> deaf;
  std::vector<std::size_t> taken;
  for (int i = 0; i < 12; ++i) {
    const auto place = nowhere(text("pipe-", i));
    auto& pipe = pipes.emplace_back(context, net::SocketType::kPush);
    pipe.bind(place);
    deaf.push_back(connect_deaf(place));
    while (!pipe.has_room(1)) {
    }
    taken.push_back(fill(pipe));
  }
  for (const auto fd : deaf) ::close(fd);
  constexpr auto kInKernel = 2 * kMiB;
  for (const auto bytes : taken) REQUIRE(bytes <= net::kPipeBytesMax + kInKernel);
  REQUIRE(std::accumulate(taken.begin(), taken.end(), std::size_t{0}) <=
          net::kPipesTotalBytesMax + taken.size() * kInKernel);
  REQUIRE(taken.back() >= 5 * kMiB);
}

TEST_CASE("many who never read leave a share to the next one", "[net]") {
  std::size_t all = 0;
  std::size_t own = 0;
  const auto fill_one = [&] {
    own = 0;
    while (net::has_share(1, own, 1000, all, 10'000)) ++own, ++all;
    return own;
  };
  REQUIRE(fill_one() == 1000);
  for (int deaf = 2; deaf <= 10; ++deaf) fill_one();
  REQUIRE(all < 7000);
  for (int deaf = 11; deaf <= 30; ++deaf) REQUIRE(fill_one() > 30);
}

TEST_CASE("a peer that is not read has few messages in memory here", "[net]") {
  constexpr std::size_t kEach = kMiB;
  constexpr std::size_t kInKernel = 16 * kMiB;  // Or wherever else a system holds them.
  net::Context context{net::ClusterFile{}};
  for (const int most : {net::kUnreadMessagesMax, 16}) {
    net::Socket server(context, net::SocketType::kRouter);
    net::Socket peer(context, net::SocketType::kDealer);
    const auto place = nowhere(text("unread-", most));
    if (most != net::kUnreadMessagesMax) server.limit_unread(most);
    server.bind(place);
    peer.connect(place);
    // Those that lie here still leave as long as there is room there: at least one does.
    std::size_t taken = 0;
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (int quiet = 0; taken <= net::kOutboundBytesMax || quiet < 100; ++quiet) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      for (; taken < 512 * kMiB && peer.send({"head", Bytes(kEach, 'x')}); quiet = 0)
        taken += kEach;
      peer.wait(5);
    }
    REQUIRE(taken <= net::kOutboundBytesMax + static_cast<std::size_t>(most) * kEach + kInKernel);
    std::size_t received = 0;
    until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (received < taken && std::chrono::steady_clock::now() < until)
      if (const auto message = server.receive()) received += message->message.payload.size();
    REQUIRE(received == taken);
  }
}

TEST_CASE("each topic that is subscribed to is told, whoever else wants it", "[net]") {
  net::Context context{net::ClusterFile{}};
  net::Socket publisher(context, net::SocketType::kPub);
  const auto place = nowhere("topics");
  publisher.bind(place);
  net::Socket one(context, net::SocketType::kSub);
  net::Socket other(context, net::SocketType::kSub);
  for (auto* subscriber : {&one, &other}) {
    subscriber->subscribe(std::string(99, 'x'));
    subscriber->connect(place);
  }
  for (int count = 0; count < 2;)
    if (const auto subscription = publisher.next_subscription()) {
      REQUIRE(subscription->topic == std::string(99, 'x'));
      REQUIRE_FALSE(subscription->is_end);
      ++count;
    }
  REQUIRE_FALSE(publisher.next_subscription());
}

TEST_CASE("who ended a subscription is told, and that its last connection ended", "[net]") {
  const auto next = [](net::Socket& publisher) {
    while (true)
      if (auto subscription = publisher.next_subscription()) return *subscription;
  };
  net::Context context{net::ClusterFile{}};
  net::Socket publisher(context, net::SocketType::kPub);
  const auto place = nowhere("ends");
  publisher.bind(place);
  std::optional<net::Socket> one(std::in_place, context, net::SocketType::kSub);
  one->subscribe("json.");
  one->connect(place);
  const auto started = next(publisher);
  REQUIRE(started.user == "");
  one.reset();
  const auto ended = next(publisher);
  REQUIRE(ended.topic == "json.");
  REQUIRE(ended.is_end);
  REQUIRE_FALSE(ended.user);
}
