// Load for a running cluster: submits no-op tasks and reads their results back from the log.
//   eole-bench throughput COUNT BATCH WINDOW RING    tasks a second, submit to notification; RING:
//     so many tasks at most between the two, zero for as many as the ventilator accepts
//   eole-bench fill COUNT                       accepted tasks a second, nothing read back
//   eole-bench lone COUNT                       one at a time: latency in microseconds
// Prints one JSON object. The cluster is EOLE_CLUSTER's.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "clients/cpp/log_reader.hpp"
#include "clients/cpp/submitter.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/base/text.hpp"
#include "common/protocol/value.hpp"

namespace {

using namespace eole;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "eole-bench: %s\n", why.c_str());
  std::exit(3);
}

// About 100 bytes of arguments, as the tasks of other systems' benchmarks have.
std::string arguments() {
  return protocol::Value(protocol::Value::Map{{"text", std::string(90, 'x')}}).to_msgpack();
}

/// What was submitted and what came back, told from one thread to the other.
struct Ring {
  std::uint64_t size = 0;
  std::atomic<std::uint64_t> seen{0};
  std::vector<Clock::time_point> submitted;  // When each message was sent; batch tasks each.
};

/// Waits until `count` final results came: each task's once.
void await(client::LogReader& reader, std::uint64_t count, Ring* ring = nullptr) {
  SeqRanges seen;
  auto last_news = Clock::now();
  while (seen.count() < count) {
    const auto encoded = reader.next(1s);
    if (!encoded) fail(encoded.error().message);
    if (!*encoded) {
      if (seconds_since(last_news) > 30) fail("no result within 30 s");
      continue;
    }
    last_news = Clock::now();
    const auto batch = protocol::read_batch(**encoded);
    ByteReader records(batch->records);
    while (const auto result = protocol::read_result(records))
      if (result->state != protocol::TaskState::kDone || seen.add(result->id.seq, result->id.seq) == 0)
        fail(text("task ", result->id.seq, " failed, or was notified twice"));
    if (ring == nullptr) continue;
    ring->seen = seen.count();
    ring->seen.notify_one();
  }
}

/// Submits `count` tasks and returns once all are accepted.
void submit(net::Context& context, const net::ClusterFile& cluster, std::uint64_t count,
            std::uint32_t batch, std::uint32_t window, Ring* ring = nullptr) {
  client::Submitter client(
      context, cluster,
      {.key = {}, .attempts_max = 0, .batch = batch, .window = window, .patience = 60s},
      [](Origin, Seq, std::uint32_t) {});
  const auto args = arguments();
  const protocol::TaskSpec spec{false, "echo", "", args};
  for (std::uint64_t i = 0; i < count; ++i) {
    if (ring != nullptr && ring->size > 0 && i % batch == 0)
      for (auto seen = ring->seen.load(); i - seen > ring->size; seen = ring->seen.load())
        ring->seen.wait(seen);
    if (auto added = client.add(spec); !added) fail(added.error().message);
  }
  if (auto finished = client.finish(); !finished) fail(finished.error().message);
}

void fill(const net::ClusterFile& cluster, std::uint64_t count) {
  net::Context context(cluster);
  const auto start = Clock::now();
  submit(context, cluster, count, 256, 64);
  const auto took = seconds_since(start);
  std::printf("{\"tasks\":%llu,\"seconds\":%.3f,\"tasks_per_second\":%.0f}\n",
              static_cast<unsigned long long>(count), took, static_cast<double>(count) / took);
}

void throughput(const net::ClusterFile& cluster, std::uint64_t count, std::uint32_t batch,
                std::uint32_t window, std::uint64_t size) {
  net::Context context(cluster);
  auto reader = client::LogReader::open(context, cluster, std::nullopt);
  if (!reader) fail(reader.error().message);
  Ring ring;
  ring.size = size;
  const auto start = Clock::now();
  double submitted = 0;
  std::thread submitter([&] {
    submit(context, cluster, count, batch, window, &ring);
    submitted = seconds_since(start);
  });
  await(**reader, count, &ring);
  const auto took = seconds_since(start);
  submitter.join();
  std::printf(
      "{\"tasks\":%llu,\"batch\":%u,\"window\":%u,\"ring\":%llu,\"seconds\":%.3f,"
      "\"tasks_per_second\":%.0f,\"submit_seconds\":%.3f}\n",
      static_cast<unsigned long long>(count), batch, window, static_cast<unsigned long long>(size), took,
      static_cast<double>(count) / took, submitted);
}

void lone(const net::ClusterFile& cluster, std::uint64_t count) {
  net::Context context(cluster);
  auto reader = client::LogReader::open(context, cluster, std::nullopt);
  if (!reader) fail(reader.error().message);
  client::Submitter client(context, cluster, {}, [](Origin, Seq, std::uint32_t) {});
  const auto args = arguments();
  std::vector<double> micros;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto start = Clock::now();
    if (auto added = client.add({false, "echo", "", args}); !added) fail(added.error().message);
    if (auto finished = client.finish(); !finished) fail(finished.error().message);
    await(**reader, 1);
    micros.push_back(seconds_since(start) * 1e6);
  }
  std::sort(micros.begin(), micros.end());
  std::printf("{\"tasks\":%llu,\"p50_us\":%.0f,\"p99_us\":%.0f,\"min_us\":%.0f}\n",
              static_cast<unsigned long long>(count), micros[micros.size() / 2],
              micros[micros.size() * 99 / 100], micros.front());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const auto number = [&](int at, std::uint64_t preset) {
    return argc > at ? std::strtoull(argv[at], nullptr, 10) : preset;
  };
  const auto cluster = net::read_cluster_file(net::cluster_file_path(""));
  if (!cluster) fail(cluster.error().message);
  if (mode == "throughput") {
    throughput(*cluster, number(2, 1'000'000), static_cast<std::uint32_t>(number(3, 256)),
               static_cast<std::uint32_t>(number(4, 64)), number(5, 0));
  } else if (mode == "lone") {
    lone(*cluster, number(2, 2000));
  } else if (mode == "fill") {
    fill(*cluster, number(2, 1'000'000));
  } else {
    std::fprintf(stderr,
                 "use: eole-bench throughput COUNT BATCH WINDOW RING | lone COUNT | fill COUNT\n");
    return 2;
  }
  return 0;
}
