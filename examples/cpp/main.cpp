// Submits a task and waits for its result:   eole-example KIND JSON
#include <cstdio>

#include "clients/cpp/blocking/log_reader.hpp"
#include "clients/cpp/blocking/requests.hpp"
#include "clients/cpp/blocking/submitter.hpp"
#include "common/protocol/result_view.hpp"

namespace {

using namespace eole;

int fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: eole-example KIND JSON\n"), 2;
  const auto args = protocol::Value::from_json(argv[2]);
  if (!args) return fail(args.error());
  const auto cluster = net::read_cluster_file(net::cluster_file_path(""));
  if (!cluster) return fail(cluster.error());
  net::Context context(*cluster);

  // Where the log ends now: whatever becomes of the task is told behind it.
  client::Requests sink(context, cluster->queries, "the sink");
  const auto status = sink.query("status");
  if (!status) return fail(status.error());
  const auto head = static_cast<std::uint64_t>((*status)["head"].int_or(0));
  auto reader = client::LogReader::open(context, *cluster, head);
  if (!reader) return fail(reader.error());

  TaskId id;
  client::Submitter submitter(context, *cluster, {}, [&](Origin origin, Seq first, std::uint32_t) {
    id = {origin, first};
  });
  if (auto added = submitter.add({argv[1]}, args->to_msgpack()); !added) return fail(added.error());
  if (auto accepted = submitter.finish(); !accepted) return fail(accepted.error());

  while (true) {
    const auto encoded = (*reader)->next(1s);
    if (!encoded) return fail(encoded.error());
    if (!*encoded) continue;
    const auto batch = protocol::read_batch(**encoded);
    if (!batch) return fail({"a piece of the log is malformed"});
    protocol::ResultReader records(batch->records);
    for (auto offset = batch->first_offset; const auto result = records.next(); ++offset) {
      const auto view = protocol::view_of(*result, batch->worker, offset);
      if (view["id"].text_or("") != to_text(id) || view["state"].text_or("") == "retrying")
        continue;
      std::printf("%s\n", view.to_json().c_str());
      return view["state"].text_or("") == "done" ? 0 : 1;
    }
  }
}
