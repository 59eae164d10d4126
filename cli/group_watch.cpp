#include <cstdio>
#include <unistd.h>

#include "cli/group.hpp"
#include "clients/cpp/blocking/group_reader.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/wanted.hpp"

namespace eole::cli {

namespace {

constexpr Duration kGlanceEvery = 100ms;  // At signals, and whether anybody reads.
constexpr std::uint64_t kPrintedMax = 1000;  // Between two glances.

void tell_gone(const client::TellGone& gone, bool is_json) {
  if (is_json)
    return print_json(Value::Map{{"gone", Value::Array{gone.first, gone.last}}});
  std::fprintf(stderr, "eole: the records of offsets %s to %s are not kept any more\n",
               text(gone.first).c_str(), text(gone.last).c_str());
}

void print(const client::GroupRecord& record, bool is_json) {
  auto view = view_of(record.result, record.worker, record.offset);
  if (!is_json) return print_result(view);
  view.set("partition", record.partition);
  print_json(view);
}

}  // namespace

int watch_group(Cluster& cluster, const GroupWatch& options, bool is_json) {
  using client::GroupReader;
  process::StopSignal stop;
  const auto commits =
      options.commit == "never" ? GroupReader::Commits::kNever : GroupReader::Commits::kWhatMoves;
  const auto name = options.member.empty() ? text(process::host_name(), "-", ::getpid())
                                           : options.member;
  GroupReader reader(cluster.context, cluster.file, options.group, name, commits);
  std::optional<TopicPattern> topic;
  if (!options.topic.empty()) topic = need(TopicPattern::parse(options.topic), kBadUse);
  const protocol::Wanted wanted({}, std::move(topic));
  const auto is_wanted = [&](const protocol::ResultRecord& result) {
    return (options.project.empty() || result.project == options.project) && wanted.has(result);
  };
  std::uint64_t count = 0;
  bool is_over = false;
  while (!is_over) {
    end_if_unread();
    const auto until = process::now() + kGlanceEvery;
    for (std::uint64_t printed = 0; printed < kPrintedMax && !is_over; ++printed) {
      const auto left = until - process::now();
      if (left <= Duration{}) break;
      const auto next = need(reader.next(left), kBadUse);
      const auto* record = std::get_if<client::GroupRecord>(&next);
      if (const auto* gone = std::get_if<client::TellGone>(&next)) tell_gone(*gone, is_json);
      if (record != nullptr && is_wanted(record->result)) {
        print(*record, is_json);
        is_over = ++count >= options.count;
      }
      if (record != nullptr && options.commit == "each") need(reader.commit(), kBadUse);
    }
    is_over = is_over || stop.take() > 0;
  }
  if (options.commit != "never") need(reader.commit(), kBadUse);
  reader.leave();
  return kDone;
}

}  // namespace eole::cli
