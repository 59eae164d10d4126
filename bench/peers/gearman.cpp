#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/peers/peer.hpp"

namespace eole::peers {

namespace {

enum Type : std::uint32_t {
  kCanDo = 1,
  kPreSleep = 4,
  kNoop = 6,
  kJobCreated = 8,
  kGrabJob = 9,
  kNoJob = 10,
  kJobAssign = 11,
  kWorkComplete = 13,
  kSubmitBackground = 18,
};

/// Background jobs: tasks for the workers, results for the collector, which serves them too.
class Gearman final : public Peer {
 public:
  Gearman() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(4730);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      fail("gearmand: cannot connect");
  }
  ~Gearman() override { ::close(fd_); }

  void submit(std::uint64_t count) override {
    std::uint32_t waiting = 0;
    for (; count > 0; --count) {
      put("tasks", std::string(kBodyBytes, 'x'));
      if (++waiting < kPipeline) continue;
      for (; waiting > 0; --waiting) await(kJobCreated);
    }
    for (; waiting > 0; --waiting) await(kJobCreated);
  }
  void work(std::uint32_t batch) override {
    say(kCanDo, "tasks");
    while (true) {
      const auto jobs = grab(batch);
      for (const auto& job : jobs) put("results", job.body);
      for (std::size_t i = 0; i < jobs.size(); ++i) await(kJobCreated);
      for (const auto& job : jobs) say(kWorkComplete, job.handle + '\0');
    }
  }
  void collect(std::uint64_t count) override {
    if (!is_serving_) say(kCanDo, "results");
    is_serving_ = true;
    for (std::uint64_t got = 0; got < count;) {
      const auto jobs = grab(count == 1 ? 1 : 64);
      for (const auto& job : jobs) say(kWorkComplete, job.handle + '\0');
      flush();
      got += jobs.size();
    }
  }

 private:
  static constexpr std::uint32_t kPipeline = 256;
  struct Job {
    std::string handle;
    std::string body;
  };
  struct Packet {
    std::uint32_t type = 0;
    std::string body;
  };
  void say(Type type, const std::string& body) {
    const std::uint32_t fields[] = {htonl(type), htonl(static_cast<std::uint32_t>(body.size()))};
    out_.append("\0REQ", 4);
    out_.append(reinterpret_cast<const char*>(fields), sizeof fields);
    out_ += body;
  }
  void put(const std::string& function, const std::string& body) {
    say(kSubmitBackground, function + '\0' + '\0' + body);
  }
  std::vector<Job> grab(std::uint32_t most) {
    while (true) {
      for (std::uint32_t i = 0; i < most; ++i) say(kGrabJob, "");
      std::vector<Job> jobs;
      for (std::uint32_t i = 0; i < most;) {
        const auto packet = take();
        if (packet.type == kNoop) continue;
        ++i;
        if (packet.type != kJobAssign) continue;
        const auto first = packet.body.find('\0');
        const auto second = packet.body.find('\0', first + 1);
        jobs.push_back({packet.body.substr(0, first), packet.body.substr(second + 1)});
      }
      if (!jobs.empty()) return jobs;
      say(kPreSleep, "");
      await(kNoop);
    }
  }
  void await(std::uint32_t type) {
    while (true) {
      const auto packet = take();
      if (packet.type == type) return;
      if (packet.type != kNoop) fail("gearmand: packet " + std::to_string(packet.type));
    }
  }
  void flush() {
    for (std::string_view rest = out_; !rest.empty();) {
      const auto sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) fail("gearmand: connection ended");
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    out_.clear();
  }
  void need(std::size_t size) {
    while (in_.size() - at_ < size) {
      flush();
      char buffer[65536];
      const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) fail("gearmand: connection ended");
      in_.erase(0, at_);
      at_ = 0;
      in_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  Packet take() {
    constexpr std::size_t kHeader = 12;
    need(kHeader);
    std::uint32_t fields[2];
    in_.copy(reinterpret_cast<char*>(fields), sizeof fields, at_ + 4);
    const auto size = ntohl(fields[1]);
    need(kHeader + size);
    Packet packet{ntohl(fields[0]), in_.substr(at_ + kHeader, size)};
    at_ += kHeader + size;
    return packet;
  }
  int fd_;
  std::string out_;
  std::string in_;
  std::size_t at_ = 0;
  bool is_serving_ = false;
};

}  // namespace

std::unique_ptr<Peer> open_gearman(const std::string&) { return std::make_unique<Gearman>(); }

}  // namespace eole::peers
