#include "bench/peers/peer.hpp"
#include "bench/peers/tcp.hpp"

namespace eole::peers {

namespace {

/// Its line protocol, with many commands under way.
class Beanstalk final : public Peer {
 public:
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
  void say(const std::string& line) { server_.say(line + "\r\n"); }
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
      const auto line = server_.read_line();
      if (!line.starts_with("RESERVED ")) continue;
      const auto space = line.find(' ', 9);
      const auto body = server_.read_bytes(std::stoul(line.substr(space + 1)) + 2);
      jobs.push_back({line.substr(9, space - 9), body.substr(0, body.size() - 2)});
    }
    return jobs;
  }
  void remove(const std::vector<Job>& jobs) {
    for (const auto& job : jobs) say("delete " + job.id);
    for (std::size_t i = 0; i < jobs.size(); ++i) expect("DELETED");
  }
  void expect(const std::string& word) {
    const auto line = server_.read_line();
    if (!line.starts_with(word)) fail("beanstalkd: " + line + " instead of " + word);
  }
  Tcp server_{"beanstalkd", server_port()};
};

}  // namespace

std::unique_ptr<Peer> open_beanstalk(const std::string&) { return std::make_unique<Beanstalk>(); }

}  // namespace eole::peers
