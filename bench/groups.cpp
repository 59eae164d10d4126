// Readers of groups, each in a thread of its own, over what the log of a running cluster holds.
//   eole-bench-groups CLUSTER-FILE GROUPS RECORDS
//   eole-bench-groups CLUSTER-FILE GROUPS live
// Each group is made at the log's first record, read to RECORDS, and deleted. Prints one JSON
// object: records and seconds of all together, and the median of 200 commits, each of one record,
// in us. With `live` they begin at the log's end, "live" is printed once all are made, and they
// read, and commit each second, until this is killed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "clients/cpp/blocking/group_reader.hpp"
#include "clients/cpp/blocking/requests.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace {

using namespace eole;
using client::GroupReader;
using protocol::Value;

constexpr int kCommits = 200;

template <class T>
T need(Expected<T> value) {
  if (value) return std::move(*value);
  std::fprintf(stderr, "eole-bench-groups: %s\n", value.error().message.c_str());
  std::exit(3);
}

void control(net::Context& context, const net::ClusterFile& cluster, const char* what,
             const std::string& group, const char* from = "earliest") {
  client::Requests sink(context, cluster.queries, "the sink");
  const Value wish = Value::Map{{"group", group}, {"from", from}, {"partitions", 1}};
  need(sink.ask(protocol::Control{0, what, wish.to_msgpack()}));
}

void read(GroupReader& reader, std::uint64_t records) {
  while (records > 0)
    if (std::holds_alternative<client::GroupRecord>(need(reader.next(10s)))) --records;
}

[[noreturn]] void follow(GroupReader& reader) {
  auto committed = process::now();
  while (true) {
    need(reader.next(1s));
    if (process::now() < committed + 1s) continue;
    (void)reader.commit();
    committed = process::now();
  }
}

double seconds_of(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("eole-bench-groups CLUSTER-FILE GROUPS RECORDS|live\n", stderr), 2;
  const auto cluster = need(net::read_cluster_file(argv[1]));
  const auto groups = std::strtoul(argv[2], nullptr, 10);
  const auto records = std::strtoull(argv[3], nullptr, 10);
  net::Context context(cluster);
  const auto name_of = [](unsigned long number) { return text("bench-", number); };
  const bool is_live = std::string_view(argv[3]) == "live";
  for (unsigned long i = 0; i < groups; ++i)
    control(context, cluster, "group_create", name_of(i), is_live ? "latest" : "earliest");
  if (is_live) std::puts("live"), std::fflush(stdout);
  const auto begun = process::now();
  std::vector<std::thread> readers;
  for (unsigned long i = 0; i < groups; ++i)
    readers.emplace_back([&, i] {
      GroupReader reader(context, cluster, name_of(i), "bench");
      if (is_live) follow(reader);
      read(reader, records);
      (void)reader.commit();
      reader.leave();
    });
  for (auto& reader : readers) reader.join();
  const auto took = seconds_of(process::now() - begun);
  for (unsigned long i = 0; i < groups; ++i) control(context, cluster, "group_delete", name_of(i));

  control(context, cluster, "group_create", "bench-commits");
  std::vector<double> micros;
  {
    GroupReader reader(context, cluster, "bench-commits", "bench");
    for (int i = 0; i < kCommits; ++i) {
      read(reader, 1);
      const auto start = process::now();
      (void)reader.commit();
      micros.push_back(seconds_of(process::now() - start) * 1e6);
    }
    reader.leave();
  }
  control(context, cluster, "group_delete", "bench-commits");
  std::nth_element(micros.begin(), micros.begin() + kCommits / 2, micros.end());
  std::printf("{\"groups\":%lu,\"records\":%llu,\"seconds\":%.3f,\"commit_us\":%.0f}\n", groups,
              static_cast<unsigned long long>(records * groups), took, micros[kCommits / 2]);
  return 0;
}
