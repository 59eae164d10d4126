#include "gateway/io/fabric.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::gateway {

using protocol::Value;

namespace {
constexpr std::size_t kTogetherBytesMax = 4 << 20;  // Of the tasks of one submit, of many askers.
constexpr std::uint32_t kTogetherTasksMax = 32768;
}  // namespace

Fabric::Fabric(net::Transport& world, const net::ClusterFile& cluster)
    : world_(world),
      cluster_(cluster),
      session_(world),
      ventilator_(session_, cluster.ventilator, "the ventilator"),
      sink_(session_, cluster.queries, "the sink"),
      submits_(session_, cluster, client::Submits::kPatience,
               [this](const client::SubmitEnded& ended) { end(ended); }),
      transfers_(session_, cluster) {
  open_reader();
}
Fabric::~Fabric() = default;

void Fabric::open_reader() {
  const auto over = [this](const Error&, std::uint64_t) { is_read_over_ = true; };
  reader_ = std::make_unique<client::Reader>(
      session_, cluster_, std::nullopt,
      client::ReaderCallbacks{[this](const client::TakeBatch& batch) { take(batch); },
                              [this](const Error&, bool is_over) { is_read_over_ |= is_over; },
                              over,
                              {}});
}

awaitable<Fabric::Answer> Fabric::ask(client::Asks& role, client::Question question) {
  auto answer = co_await told_later<Answer>([&](auto tell) {
    role.ask(
        std::move(question), [tell](const Answer& told) { tell(told); }, kPatience);
  });
  co_return answer;
}

awaitable<Fabric::Answer> Fabric::ventilator(std::string what, TaskId id, Value options) {
  protocol::Query query{0, std::move(what), id.origin, id.seq,
                        options.is_null() ? Bytes{} : options.to_msgpack()};
  co_return co_await ask(ventilator_, std::move(query));
}

awaitable<Fabric::Answer> Fabric::sink(std::string what, TaskId id, Value options) {
  protocol::Query query{0, std::move(what), id.origin, id.seq,
                        options.is_null() ? Bytes{} : options.to_msgpack()};
  co_return co_await ask(sink_, std::move(query));
}

awaitable<Fabric::Answer> Fabric::control(std::string what, Value options) {
  protocol::Control control{0, std::move(what), options.to_msgpack()};
  co_return co_await ask(ventilator_, std::move(control));
}

awaitable<Fabric::Answer> Fabric::cancel(Origin origin, SeqRanges seqs) {
  protocol::Cancel cancel{0, origin, seqs.encode()};
  co_return co_await ask(ventilator_, std::move(cancel));
}

awaitable<Fabric::Answer> Fabric::discard(Origin origin, SeqRanges seqs) {
  protocol::Discard discard{0, origin, seqs.encode()};
  co_return co_await ask(sink_, std::move(discard));
}

awaitable<client::SubmitEnded> Fabric::submit(Bytes groups, std::uint32_t count, std::string key) {
  auto ended = co_await told_later<client::SubmitEnded>([&](auto tell) {
    gathered_.push_back({std::move(groups), count, std::move(key), std::move(tell)});
  });
  co_return ended;
}

// What has no key goes out together: one message, one answer, however many asked.
void Fabric::flush() {
  while (!gathered_.empty() && submits_.has_room()) {
    std::vector<Waiting> those;
    std::size_t bytes = 0;
    std::uint32_t count = 0;
    while (!gathered_.empty()) {
      auto& next = gathered_.front();
      const bool fits = bytes + next.groups.size() <= kTogetherBytesMax &&
                        count + next.count <= kTogetherTasksMax && next.key.empty();
      if (!those.empty() && !(fits && those.front().key.empty())) break;
      bytes += next.groups.size();
      count += next.count;
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
  if (ended.error && !ended.error->is_silence && those.size() > 1) {
    // One of them is to blame: each is told of its own.
    for (auto one = those.rbegin(); one != those.rend(); ++one) {
      std::vector<Waiting> alone;
      alone.push_back(std::move(*one));
      send(std::move(alone));
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
  if (listening_.empty()) return;
  const auto batch = protocol::read_batch(taken.batch);
  if (!batch) return;
  protocol::ResultReader records(batch->records);
  for (std::uint32_t i = 0; i < batch->count; ++i) {
    const auto result = records.next();
    if (!result) return;
    if (!result->is_final) continue;
    const auto view = protocol::view_of(*result, batch->worker, batch->first_offset + i);
    const auto those = listening_;  // One that hears may end another.
    for (auto* one : those)
      if (std::find(listening_.begin(), listening_.end(), one) != listening_.end())
        one->on_result_(result->id, view);
  }
}

std::unique_ptr<Fabric::Listening> Fabric::listen(OnResult on_result) {
  return std::make_unique<Listening>(*this, std::move(on_result));
}

Fabric::Listening::Listening(Fabric& fabric, OnResult on_result)
    : fabric_(fabric), on_result_(std::move(on_result)) {
  fabric.listening_.push_back(this);
}
Fabric::Listening::~Listening() { std::erase(fabric_.listening_, this); }

awaitable<Fabric::Answer> Fabric::ended(TaskId id, Duration most) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, most);
  Value view;
  const auto listening = listen([&](const TaskId& of, const Value& told) {
    if (of != id) return;
    view = told;
    timer.cancel();
  });
  const auto known = co_await sink("result", id);
  const bool is_known = known && !known->is_null() && (*known)["state"].text_or("") != "retrying";
  if (is_known) co_return known;
  boost::system::error_code ignored;
  if (view.is_null()) co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return view;
}

std::optional<TimePoint> Fabric::turn() {
  flush();
  session_.turn();
  flush();
  if (std::exchange(is_read_over_, false)) open_reader();
  return session_.next_turn();
}

}  // namespace eole::gateway
