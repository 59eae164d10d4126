// One run of one peer, whose server is up on the port PEER_PORT (bench/peers.py starts it).
//   eole-bench-peer NAME throughput COUNT BATCH    tasks a second, first submit to last result
//   eole-bench-peer NAME lone COUNT                one at a time: latency in microseconds
//   eole-bench-peer NAME fill COUNT                confirmed tasks a second, nobody takes them
// Prints one JSON object.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "bench/peers/peer.hpp"

namespace eole::peers {

namespace {

using Clock = std::chrono::steady_clock;

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all{
      {"redis-lists", open_redis, "lists"},         {"redis-streams", open_redis, "streams"},
      {"rabbitmq-classic", open_rabbit, "classic"}, {"rabbitmq-quorum", open_rabbit, "quorum"},
      {"nats-jetstream", open_nats, "jetstream"},   {"nats-core", open_nats, "core"},
      {"beanstalkd", open_beanstalk, ""},
      {"gearmand", open_gearman, ""},
  };
  return all;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void run_as_process(const std::function<void()>& part) {
  if (::fork() != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // It ends with the one that measures.
  part();
  std::_Exit(0);
}

void throughput(const Setting& setting, std::uint64_t count, std::uint32_t batch) {
  int ready[2];
  int go[2];
  if (::pipe(ready) != 0 || ::pipe(go) != 0) fail("no pipe");
  for (int i = 0; i < 2; ++i)
    run_as_process([&] {
      const auto peer = setting.open(setting.mode);
      (void)!::write(ready[1], "w", 1);
      peer->work(batch);
    });
  run_as_process([&] {
    const auto peer = setting.open(setting.mode);
    char byte = 0;
    (void)!::write(ready[1], "p", 1);
    (void)!::read(go[0], &byte, 1);
    peer->submit(count);
    ::pause();  // A closed connection may take messages with it.
  });
  const auto peer = setting.open(setting.mode);
  char bytes[3];
  for (int i = 0; i < 3; ++i) (void)!::read(ready[0], bytes, 1);
  ::usleep(300'000);  // Their subscriptions stand.
  const auto start = Clock::now();
  (void)!::write(go[1], "g", 1);
  peer->collect(count);
  const auto took = seconds_since(start);
  std::printf("{\"tasks\":%llu,\"seconds\":%.3f,\"tasks_per_second\":%.0f}\n",
              static_cast<unsigned long long>(count), took, static_cast<double>(count) / took);
}

void lone(const Setting& setting, std::uint64_t count) {
  run_as_process([&] { setting.open(setting.mode)->work(1); });
  const auto producer = setting.open(setting.mode);
  const auto collector = setting.open(setting.mode);
  ::usleep(300'000);
  std::vector<double> micros;
  for (std::uint64_t i = 0; i < count + 50; ++i) {
    const auto start = Clock::now();
    producer->submit(1);
    collector->collect(1);
    if (i >= 50) micros.push_back(seconds_since(start) * 1e6);
  }
  std::sort(micros.begin(), micros.end());
  std::printf("{\"tasks\":%zu,\"p50_us\":%.0f,\"p99_us\":%.0f}\n", micros.size(),
              micros[micros.size() / 2], micros[micros.size() * 99 / 100]);
}

void fill(const Setting& setting, std::uint64_t count) {
  const auto peer = setting.open(setting.mode);
  const auto start = Clock::now();
  peer->submit(count);
  const auto took = seconds_since(start);
  std::printf("{\"tasks\":%llu,\"seconds\":%.3f,\"tasks_per_second\":%.0f}\n",
              static_cast<unsigned long long>(count), took, static_cast<double>(count) / took);
}

}  // namespace

}  // namespace eole::peers

int main(int argc, char** argv) {
  using namespace eole::peers;
  const std::string name = argc > 1 ? argv[1] : "";
  const std::string mode = argc > 2 ? argv[2] : "";
  const auto number = [&](int at, std::uint64_t preset) {
    return argc > at ? std::strtoull(argv[at], nullptr, 10) : preset;
  };
  for (const auto& setting : settings()) {
    if (setting.name != name) continue;
    if (mode == "throughput")
      throughput(setting, number(3, 100'000), static_cast<std::uint32_t>(number(4, 64)));
    if (mode == "lone") lone(setting, number(3, 2000));
    if (mode == "fill") fill(setting, number(3, 1'000'000));
    return 0;
  }
  std::fprintf(stderr,
               "use: eole-bench-peer NAME throughput COUNT BATCH | lone COUNT | fill COUNT\n");
  return 2;
}
