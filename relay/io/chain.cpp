#include "relay/io/chain.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "clients/cpp/blocking/group_reader.hpp"
#include "clients/cpp/blocking/requests.hpp"
#include "clients/cpp/session/submits.hpp"
#include "common/base/text.hpp"
#include "common/base/topics.hpp"
#include "common/base/within.hpp"
#include "common/process/log.hpp"
#include "common/protocol/result_view.hpp"
#include "relay/core/submission.hpp"

namespace eole::relay {

using client::GroupReader;
using protocol::Value;

namespace {
constexpr Duration kLookEvery = 500ms;
constexpr Duration kPauseMost = 60s;     // Between two tries.
constexpr Duration kLeaveWithin = 1s;    // A sink that ends, too, need not hear of it.
constexpr std::size_t kAtOnceMax = 256;  // Notifications between two commits.
}  // namespace

Chain::Chain(net::Context& context, const net::ClusterFile& cluster, Value declared)
    : context_(context),
      cluster_(cluster),
      declared_(std::move(declared)),
      name_(declared_["name"].text_or("")),
      thread_([this] { run(); }) {}

Chain::~Chain() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

bool Chain::pause(Duration time) {
  std::unique_lock lock(mutex_);
  return stop_.wait_for(lock, time, [this] { return is_over_; });
}

// Whatever is away, full or refuses may be there again: what was not committed is read again.
void Chain::run() {
  std::string told;
  for (Duration wait = 1s; !is_over(); wait = std::min<Duration>(wait * 2, kPauseMost)) {
    const auto begun = process::now();
    const auto worked = work();
    if (worked) return;
    if (std::exchange(told, worked.error().message) != worked.error().message)
      process::log_warning(text("chain ", name_, ": ", told));
    if (process::now() > begun + kPauseMost) wait = 1s;
    if (pause(wait)) return;
  }
}

Expected<void> Chain::join() {
  client::Requests sink(context_, cluster_.queries, "the sink");
  const Value wish = Value::Map{{"group", name_}, {"from", declared_["start"]}};
  const auto made = sink.ask(protocol::Control{0, "group_create", wish.to_msgpack()});
  return made ? Expected<void>() : Expected<void>(made.error());
}

Expected<void> Chain::work() {
  const auto pattern = TopicPattern::parse(declared_["from"].text_or(""));
  if (!pattern) return pattern.error();
  if (auto joined = join(); !joined) return joined;
  const Within within(declared_["within"].text_or(""));
  GroupReader reader(context_, cluster_, name_, "relay", GroupReader::Commits::kNever);
  client::Waiting waiting(context_);
  std::optional<Error> refused;
  client::Submits submits(waiting.session(), cluster_, client::Submits::kPatience,
                          [&](const client::SubmitEnded& ended) {
                            if (ended.error) refused = ended.error;
                          });
  while (!is_over()) {
    for (std::size_t count = 0; count < kAtOnceMax && (count == 0 || reader.has_more()); ++count) {
      const auto next = reader.next(kLookEvery);
      if (!next) return next.error();
      if (const auto* gone = std::get_if<client::TellGone>(&*next))
        process::log_warning(text("chain ", name_, ": ", gone->first, " to ", gone->last,
                                  " of the log are gone, and became no tasks"));
      const auto* record = std::get_if<client::GroupRecord>(&*next);
      if (record == nullptr) break;
      const auto& result = record->result;
      const bool is_meant =
          result.is_final && within.has(result.project) &&
          pattern->matches(topic_of(result.project, result.kind, to_text(result.state)));
      if (!is_meant) continue;
      const auto event = protocol::view_of(result, record->worker, record->offset);
      auto submission = submission_of(declared_, event, reader.log());
      if (!submission) continue;
      auto& [submit, groups] = *submission;
      while (!submits.has_room()) waiting.wait(kLookEvery);
      submits.submit(std::move(submit), std::make_shared<const Bytes>(std::move(groups)));
    }
    while (!submits.is_idle()) waiting.wait(kLookEvery);
    if (refused) break;
    if (auto committed = reader.commit(); !committed) return committed;
  }
  reader.leave(kLeaveWithin);  // What was not committed is read again, by the next member.
  return refused ? Expected<void>(*refused) : Expected<void>();
}

}  // namespace eole::relay
