#include "gateway/io/fabric.hpp"

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::gateway {

using protocol::Value;

namespace {
constexpr std::size_t kTogetherBytesMax = 4 << 20;  // Of the tasks of one submit, of many askers.
constexpr std::uint32_t kTogetherTasksMax = 32768;
constexpr Duration kReopenEvery = 1s;  // The reader of the log, if that was refused.
constexpr Duration kFollowOn = 10s;    // After the last one who wanted it.
}  // namespace

Fabric::Fabric(net::Transport& world, const net::ClusterFile& cluster)
    : world_(world),
      cluster_(cluster),
      session_(world),
      ventilator_(session_, cluster.ventilator, "the ventilator"),
      sink_(session_, cluster.queries, "the sink"),
      submits_(session_, cluster, client::Submits::kPatience,
               [this](const client::SubmitEnded& ended) { end(ended); }),
      transfers_(session_, cluster) {}
Fabric::~Fabric() = default;

void Fabric::open_reader() {
  is_open_told_ = is_watching_ = false;
  const auto over = [this](const Error&, std::uint64_t) { is_read_over_ = true; };
  reader_ = std::make_unique<client::Reader>(
      session_, cluster_, std::nullopt,
      client::ReaderCallbacks{[this](const client::TakeBatch& batch) { take(batch); },
                              [this](const Error&, bool is_over) { is_read_over_ |= is_over; },
                              over,
                              [this](const protocol::Progress& progress) { show(progress); }});
}

awaitable<Fabric::Answer> Fabric::ask(client::Asks& role, std::int64_t& heard,
                                      client::Question question, Duration patience) {
  auto answer = co_await told_later<Answer>([&](auto tell) {
    role.ask(
        std::move(question), [tell](const Answer& told) { tell(told); }, patience);
  });
  if (answer || !answer.error().is_silence()) heard = process::unix_ms();
  co_return answer;
}

// What waited too long to go out, because the ventilator takes nothing.
void Fabric::give_up() {
  const auto now = world_.now();
  while (!gathered_.empty() && now - gathered_.front().since >= client::Submits::kPatience) {
    client::SubmitEnded ended;
    ended.error = Error{"the ventilator does not answer; nothing was submitted", ErrorCode::kAway};
    gathered_.front().tell(ended);
    gathered_bytes_ -= gathered_.front().groups.size();
    gathered_.pop_front();
  }
}

// What has no key, and is within the same projects, goes out together: one message, one answer,
// however many asked.
void Fabric::flush() {
  while (!gathered_.empty() && submits_.has_room()) {
    std::vector<Waiting> those;
    std::size_t bytes = 0;
    std::uint32_t count = 0;
    while (!gathered_.empty()) {
      auto& next = gathered_.front();
      const bool fits = bytes + next.groups.size() <= kTogetherBytesMax &&
                        count + next.count <= kTogetherTasksMax;
      if (!those.empty() && !(fits && next.may_join(those.front()))) break;
      bytes += next.groups.size();
      count += next.count;
      gathered_bytes_ -= next.groups.size();
      those.push_back(std::move(next));
      gathered_.pop_front();
    }
    send(std::move(those));
  }
}

void Fabric::send(std::vector<Waiting> those) {
  auto groups = std::make_shared<Bytes>();
  protocol::Submit submit;
  submit.key = those.front().key;
  submit.within = those.front().within;
  for (const auto& one : those) {
    *groups += one.groups;
    submit.count += one.count;
  }
  const auto request = submits_.submit(std::move(submit), std::move(groups));
  sent_.emplace(request, std::move(those));
}

void Fabric::end(const client::SubmitEnded& ended) {
  auto found = sent_.extract(ended.request);
  if (!found) return;
  auto& those = found.mapped();
  if (ended.error && !ended.error->is_silence() && those.size() > 1) {
    // One of them is to blame: each is told of its own.
    for (auto one = those.rbegin(); one != those.rend(); ++one) {
      one->is_alone = true;
      gathered_bytes_ += one->groups.size();
      gathered_.push_front(std::move(*one));
    }
    return;
  }
  auto part = ended;
  for (auto& one : those) {
    part.count = one.count;
    one.tell(part);
    part.first += one.count;
  }
}

void Fabric::take(const client::TakeBatch& taken) {
  reader_->taken(taken.batch.size());
  tell_open();
  if (tap_.on_batch) tap_.on_batch(taken.batch, reader_->from());
  if (endings_.empty()) return;
  const auto batch = protocol::read_batch(taken.batch);
  if (!batch) return;
  protocol::ResultReader records(batch->records);
  for (std::uint32_t i = 0; i < batch->count; ++i) {
    const auto result = records.next();
    if (!result) return;
    const auto [first, last] = endings_.equal_range(result->id);
    if (!result->is_final || first == last) continue;
    const auto view = protocol::view_of(*result, batch->worker, batch->first_offset + i);
    for (auto ending = first; ending != last; ++ending) {
      if (!ending->second->within.has(result->project)) continue;
      ending->second->view = view;
      ending->second->wake();
    }
  }
}

void Fabric::stop() {
  is_stopping_ = true;
  for (const auto& [id, ending] : endings_) ending->wake();
}

bool Fabric::is_followed() const {
  return !endings_.empty() || !watches_.empty() || (tap_.is_wanted && tap_.is_wanted());
}

// The log is read as long as somebody wants to hear of ends, and a little longer: nobody else pays
// for it.
void Fabric::follow(TimePoint now) {
  if (is_followed()) wanted_at_ = now;
  if (std::exchange(is_read_over_, false)) reader_.reset();
  if (reader_ && now - wanted_at_ > kFollowOn) {
    reader_.reset();
    if (tap_.on_close) tap_.on_close();
  }
  if (!reader_ && is_followed() && now >= reopen_at_) {
    reopen_at_ = now + kReopenEvery;
    open_reader();
  }
  if (reader_ && !watches_.empty() && !std::exchange(is_watching_, true)) reader_->watch_progress();
  tell_open();
}

void Fabric::show(const protocol::Progress& progress) {
  const auto [first, last] = watches_.equal_range({progress.origin, progress.seq});
  for (auto watch = first; watch != last; ++watch) watch->second(progress);
}

void Fabric::tell_open() {
  if (!reader_ || !reader_->is_open() || std::exchange(is_open_told_, true)) return;
  if (tap_.on_open) tap_.on_open(reader_->from());
  for (const auto& [id, ending] : endings_) {  // What ended before is not told any more.
    ending->is_to_ask = true;
    ending->wake();
  }
}

std::optional<TimePoint> Fabric::turn() {
  flush();
  session_.turn();
  flush();
  give_up();
  follow(world_.now());
  auto next = session_.next_turn();
  if (!reader_ && is_followed()) next = std::min(next.value_or(reopen_at_), reopen_at_);
  if (!gathered_.empty()) {
    const auto end = gathered_.front().since + client::Submits::kPatience;
    next = std::min(next.value_or(end), end);
  }
  return next;
}

}  // namespace eole::gateway
