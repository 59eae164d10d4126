#include "clients/cpp/blocking/submitter.hpp"

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"

namespace eole::client {

namespace {
constexpr std::size_t kMessageBytes = 1 << 20;
constexpr Duration kLookEvery = 1s;  // Sooner if anything comes or is due.
}  // namespace

Submitter::Submitter(net::Context& context, const net::ClusterFile& cluster, Options options,
                     OnAccepted on_accepted)
    : options_(std::move(options)),
      on_accepted_(std::move(on_accepted)),
      waiting_(context),
      submits_(waiting_.session(), cluster, options_.patience,
               [this](const SubmitEnded& ended) { take(ended); }) {
  if (!options_.key.empty()) options_.batch = protocol::kTasksPerMessageMax;
}

Expected<void> Submitter::add(const protocol::TaskClass& task_class, std::string_view args,
                              std::string_view conditions, std::string_view trace) {
  if (task_class.kind.empty()) return Error{"task: no kind"};
  if (std::max(task_class.kind.size(), task_class.project.size()) > protocol::kNameBytesMax)
    return Error{text("task: kind or project over ", protocol::kNameBytesMax, " bytes")};
  if (args.size() > protocol::kTaskBytesMax)
    return Error{text("task: arguments of ", args.size(), " bytes, limit ", protocol::kTaskBytesMax,
                      " (put large data into an artifact)")};
  if (auto made = make_room(args.size() + conditions.size() + trace.size()); !made) return made;
  if (open_.count() == 0) open_.reserve(last_bytes_);
  open_.add(task_class, args, conditions, trace);
  return {};
}

Expected<void> Submitter::make_room(std::size_t bytes) {
  const auto most =
      options_.key.empty() ? kMessageBytes : protocol::kPayloadBytesMax - protocol::kClassBytesMax;
  const bool is_full =
      open_.count() >= options_.batch || (open_.count() > 0 && open_.bytes() + bytes > most);
  if (!is_full) return {};
  if (!options_.key.empty())
    return Error{text("submit with a key: all tasks must fit one message, at most ",
                      protocol::kTasksPerMessageMax, " and ", most, " bytes")};
  return send();
}

Expected<void> Submitter::send() {
  while (!error_ && !submits_.has_room()) waiting_.wait(kLookEvery);
  if (error_) return wait_until_idle();
  if (open_.count() == 0) return {};
  protocol::Submit submit;
  submit.key = options_.keys.empty() ? options_.key : text(options_.keys, sent_++);
  submit.count = open_.count();
  last_bytes_ = open_.bytes();
  ended_.emplace_back();
  submits_.submit(std::move(submit), std::make_shared<const Bytes>(open_.take()));
  return {};
}

Expected<void> Submitter::wait() {
  if (error_) return wait_until_idle();
  waiting_.wait(kLookEvery);
  return {};
}

Expected<void> Submitter::wait_until_idle() {
  while (!submits_.is_idle()) waiting_.wait(kLookEvery);
  return error_ ? Expected<void>(*error_) : Expected<void>();
}

// They end in any order, and are told in that of the tasks.
void Submitter::take(const SubmitEnded& ended) {
  ended_[ended.request - first_] = ended;
  for (; !ended_.empty() && ended_.front(); ended_.pop_front(), ++first_) {
    const auto& first = *ended_.front();
    if (!first.error)
      on_accepted_(first.origin, first.first, first.count);
    else if (!error_)
      error_ = first.error;
  }
}

Expected<void> Submitter::finish() {
  if (auto sent = send(); !sent) return sent;
  return wait_until_idle();
}

}  // namespace eole::client
