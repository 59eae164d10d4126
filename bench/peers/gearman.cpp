#include <arpa/inet.h>

#include "bench/peers/peer.hpp"
#include "bench/peers/tcp.hpp"

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
      server_.flush();
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
    server_.say({"\0REQ", 4});
    server_.say({reinterpret_cast<const char*>(fields), sizeof fields});
    server_.say(body);
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
  Packet take() {
    const auto header = server_.read_bytes(12);
    std::uint32_t fields[2];
    header.copy(reinterpret_cast<char*>(fields), sizeof fields, 4);
    return {ntohl(fields[0]), server_.read_bytes(ntohl(fields[1]))};
  }
  Tcp server_{"gearmand", server_port()};
  bool is_serving_ = false;
};

}  // namespace

std::unique_ptr<Peer> open_gearman(const std::string&) { return std::make_unique<Gearman>(); }

}  // namespace eole::peers
