// Many who listen to the gateway: COUNT WebSockets of one process, each until it has heard of
// EVENTS events of the log, whose offsets must follow one another.
//   eole-bench-listeners PORT COUNT EVENTS
// Prints "listening" once all stand, then one JSON object: gaps, messages, bytes, reads, seconds.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "eole-bench-listeners: %s\n", why.c_str());
  std::exit(3);
}

struct Counts {
  std::uint64_t gaps = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t reads = 0;
};

struct Listener {
  int fd = -1;
  bool is_open = false;
  std::uint64_t heard = 0;
  std::uint64_t next = 0;  // The offset that must come; zero: any.
  std::string unread;

  /// How many bytes at the front of `input` were whole.
  std::size_t take(std::string_view input, Counts& counts) {
    const auto all = input.size();
    if (!is_open) {
      const auto end = input.find("\r\n\r\n");
      if (end == std::string_view::npos) return 0;
      if (!input.starts_with("HTTP/1.1 101 ")) fail(std::string(input.substr(0, end)));
      input.remove_prefix(end + 4);
      is_open = true;
    }
    while (input.size() >= 4) {
      const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(input[at]); };
      std::size_t size = byte(1);
      std::size_t head = 2;
      if (size == 126) {
        size = static_cast<std::size_t>(byte(2)) << 8 | byte(3);
        head = 4;
      } else if (size == 127) {
        fail("a message of more than 64 KiB");
      }
      if (byte(0) != 0x81) fail("a frame that is no text");
      if (input.size() < head + size) break;
      hear(input.substr(head, size), counts);
      input.remove_prefix(head + size);
    }
    return all - input.size();
  }

  void hear(std::string_view message, Counts& counts) {
    constexpr std::string_view kBegin = "{\"offset\":";
    ++counts.messages;
    if (!message.starts_with(kBegin)) return;  // A summary.
    const auto offset = std::strtoull(message.data() + kBegin.size(), nullptr, 10);
    counts.gaps += next != 0 && offset != next;
    next = offset + 1;
    ++heard;
  }
};

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail("cannot connect");
  const std::string request =
      "GET /notifications HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
  if (::send(fd, request.data(), request.size(), 0) != static_cast<ssize_t>(request.size()))
    fail("cannot send");
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("PORT COUNT EVENTS");
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const auto count = std::strtoull(argv[2], nullptr, 10);
  const auto events = std::strtoull(argv[3], nullptr, 10);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Listener> all(count);
  for (auto& one : all) {
    one.fd = connect_to(port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &one;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, one.fd, &event);
  }
  Counts counts;
  std::uint64_t open = 0;
  std::uint64_t done = 0;
  std::chrono::steady_clock::time_point start;
  static std::array<char, 256 << 10> buffer;
  std::array<epoll_event, 64> ready{};
  while (done < count) {
    const int came = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), 60'000);
    if (came <= 0) fail("nothing came for a minute");
    for (int i = 0; i < came; ++i) {
      auto& one = *static_cast<Listener*>(ready[static_cast<std::size_t>(i)].data.ptr);
      const auto size = ::recv(one.fd, buffer.data(), buffer.size(), 0);
      if (size <= 0) fail("a connection ended");
      ++counts.reads;
      counts.bytes += static_cast<std::uint64_t>(size);
      const std::string_view input(buffer.data(), static_cast<std::size_t>(size));
      const bool was_open = one.is_open;
      const bool was_done = one.heard >= events;
      if (one.unread.empty()) {
        one.unread = input.substr(one.take(input, counts));
      } else {
        one.unread += input;
        one.unread.erase(0, one.take(one.unread, counts));
      }
      done += !was_done && one.heard >= events;
      if (was_open || !one.is_open || ++open < count) continue;
      std::puts("listening");
      std::fflush(stdout);
      start = std::chrono::steady_clock::now();
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("{\"gaps\":%llu,\"messages\":%llu,\"bytes\":%llu,\"reads\":%llu,\"seconds\":%.3f}\n",
              static_cast<unsigned long long>(counts.gaps),
              static_cast<unsigned long long>(counts.messages),
              static_cast<unsigned long long>(counts.bytes),
              static_cast<unsigned long long>(counts.reads), took.count());
  return 0;
}
