#include "clients/cpp/blocking/submitter.hpp"

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

Expected<void> Submitter::set_attempts_max(std::uint8_t attempts_max) {
  if (attempts_max == options_.attempts_max) return {};
  if (open_.count > 0 && !options_.key.empty())
    return Error{"submit with a key: all tasks must have the same attempts limit"};
  auto sent = send();
  options_.attempts_max = attempts_max;
  return sent;
}

Expected<void> Submitter::add(const protocol::TaskSpec& spec) {
  if (spec.kind.empty() || spec.kind.size() > 255) return Error{"task: no kind, or over 255 bytes"};
  if (spec.project.size() > 255) return Error{"task: project over 255 bytes"};
  if (spec.args.size() > protocol::kTaskBytesMax)
    return Error{text("task: arguments of ", spec.args.size(), " bytes, limit ",
                      protocol::kTaskBytesMax, " (put large data into an artifact)")};
  const auto message_max = options_.key.empty() ? kMessageBytes : protocol::kPayloadBytesMax;
  const bool is_full = open_.count >= options_.batch ||
                       (open_.count > 0 && open_.payload.size() + spec.args.size() > message_max);
  if (is_full) {
    if (!options_.key.empty())
      return Error{text("submit with a key: all tasks must fit one message, at most ",
                        protocol::kTasksPerMessageMax, " and ", message_max, " bytes")};
    if (auto sent = send(); !sent) return sent;
  }
  if (open_.count == 0) open_.payload.reserve(last_bytes_);
  put_task_spec(open_.payload, spec);
  ++open_.count;
  return {};
}

Expected<void> Submitter::send() {
  while (!error_ && !submits_.has_room()) waiting_.wait(kLookEvery);
  if (error_) return wait_until_idle();
  if (open_.count == 0) return {};
  open_.key = options_.key;
  open_.attempts_max = options_.attempts_max;
  last_bytes_ = open_.payload.size();
  auto specs = std::make_shared<const Bytes>(std::move(open_.payload));
  ended_.emplace_back();
  submits_.submit(std::exchange(open_, {}), std::move(specs));
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
