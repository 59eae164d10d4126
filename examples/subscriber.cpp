// Prints every result that the cluster's log keeps, then those that come, for as long as it runs.
//   eole-subscriber [CLUSTER_FILE]
#include <cstdio>

#include "clients/cpp/blocking/log_reader.hpp"
#include "common/protocol/result_view.hpp"

int main(int argc, char** argv) {
  using namespace eole;
  const auto cluster = net::read_cluster_file(net::cluster_file_path(argc > 1 ? argv[1] : ""));
  if (!cluster) return std::fprintf(stderr, "%s\n", cluster.error().message.c_str()), 2;
  net::Context context(*cluster);
  auto reader = client::LogReader::open_kept(context, *cluster, 0, [](const Error& gone) {
    std::fprintf(stderr, "%s\n", gone.message.c_str());
  });
  while (reader) {
    const auto encoded = (*reader)->next(1s);
    if (!encoded) return std::fprintf(stderr, "%s\n", encoded.error().message.c_str()), 3;
    if (!*encoded) continue;
    const auto batch = protocol::read_batch(**encoded);
    if (!batch) return std::fprintf(stderr, "a piece of the log is malformed\n"), 3;
    protocol::ResultReader records(batch->records);
    for (auto offset = batch->first_offset; const auto result = records.next(); ++offset)
      std::printf("%s\n", protocol::view_of(*result, batch->worker, offset).to_json().c_str());
    std::fflush(stdout);
  }
  return std::fprintf(stderr, "%s\n", reader.error().message.c_str()), 3;
}
