#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/peers/peer.hpp"

namespace eole::peers {

namespace {

/// Its line protocol, with many commands under way.
class Beanstalk final : public Peer {
 public:
  Beanstalk() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(11300);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      fail("beanstalkd: cannot connect");
  }
  ~Beanstalk() override { ::close(fd_); }

  void submit(std::uint64_t count) override {
    say("use tasks");
    expect("USING");
    std::uint32_t waiting = 0;
    for (; count > 0; --count) {
      put(std::string(kBodyBytes, 'x'));
      if (++waiting < kWindow) continue;
      for (; waiting > 0; --waiting) expect("INSERTED");
    }
    for (; waiting > 0; --waiting) expect("INSERTED");
  }
  void work(std::uint32_t batch) override {
    say("watch tasks");
    expect("WATCHING");
    say("use results");
    expect("USING");
    while (true) {
      const auto jobs = reserve(batch);
      for (const auto& job : jobs) put(job.body);
      for (std::size_t i = 0; i < jobs.size(); ++i) expect("INSERTED");
      remove(jobs);
    }
  }
  void collect(std::uint64_t count) override {
    say("watch results");
    expect("WATCHING");
    for (std::uint64_t got = 0; got < count;) {
      const auto jobs = reserve(count == 1 ? 1 : 64);
      remove(jobs);
      got += jobs.size();
    }
  }

 private:
  struct Job {
    std::string id;
    std::string body;
  };
  void say(const std::string& line) {
    out_ += line;
    out_ += "\r\n";
  }
  void put(const std::string& body) {
    say("put 0 0 60 " + std::to_string(body.size()));
    say(body);
  }
  // The first one is waited for, the others are taken if they are there.
  std::vector<Job> reserve(std::uint32_t most) {
    say("reserve");
    for (std::uint32_t i = 1; i < most; ++i) say("reserve-with-timeout 0");
    std::vector<Job> jobs;
    for (std::uint32_t i = 0; i < most; ++i) {
      const auto line = read_line();
      if (!line.starts_with("RESERVED ")) continue;
      const auto space = line.find(' ', 9);
      const auto body = read_bytes(std::stoul(line.substr(space + 1)) + 2);
      jobs.push_back({line.substr(9, space - 9), body.substr(0, body.size() - 2)});
    }
    return jobs;
  }
  void remove(const std::vector<Job>& jobs) {
    for (const auto& job : jobs) say("delete " + job.id);
    for (std::size_t i = 0; i < jobs.size(); ++i) expect("DELETED");
  }
  void expect(const std::string& word) {
    const auto line = read_line();
    if (!line.starts_with(word)) fail("beanstalkd: " + line + " instead of " + word);
  }
  void fill() {
    for (std::string_view rest = out_; !rest.empty();) {
      const auto sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) fail("beanstalkd: connection ended");
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    out_.clear();
    char buffer[65536];
    const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) fail("beanstalkd: connection ended");
    in_.erase(0, at_);
    at_ = 0;
    in_.append(buffer, static_cast<std::size_t>(got));
  }
  std::string read_line() {
    std::size_t end = 0;
    while ((end = in_.find("\r\n", at_)) == std::string::npos) fill();
    auto line = in_.substr(at_, end - at_);
    at_ = end + 2;
    return line;
  }
  std::string read_bytes(std::size_t size) {
    while (in_.size() - at_ < size) fill();
    auto bytes = in_.substr(at_, size);
    at_ += size;
    return bytes;
  }
  int fd_;
  std::string out_;
  std::string in_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<Peer> open_beanstalk(const std::string&) { return std::make_unique<Beanstalk>(); }

}  // namespace eole::peers
