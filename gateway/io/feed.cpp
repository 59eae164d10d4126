#include "gateway/io/feed.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>
#include <utility>

#include "common/base/text.hpp"
#include "gateway/core/http/websocket.hpp"

namespace eole::gateway {

using protocol::Value;

namespace {

constexpr std::chrono::milliseconds kStartTime = 2s;  // For the reader of the log to begin.
constexpr std::chrono::milliseconds kStartGlance = 5ms;
constexpr std::size_t kProgressWaitingBytesMax = 256 << 10;
constexpr auto kWakeEvery = std::chrono::microseconds(20);  // For each who listens.
constexpr auto kWakeAtOnce = std::chrono::milliseconds(1);  // A shorter rest is none.
constexpr auto kSummaryEvery = std::chrono::seconds(2);
constexpr auto kReadAgain = std::chrono::milliseconds(200);

awaitable<void> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

Feed::Feed(Fabric& fabric) : fabric_(fabric) {
  fabric.tap({[this](std::uint64_t head) { on_open(head); },
              [this](std::string_view batch, std::uint64_t from) { on_batch(batch, from); },
              [this]() { recent_ = {}; }, [this]() { return hearing_ > 0; }});
}

awaitable<void> Feed::until_started() {
  for (auto left = kStartTime; !recent_.is_started() && left > left.zero(); left -= kStartGlance)
    co_await pause(kStartGlance);
}

void Feed::on_open(std::uint64_t head) {
  // The same log, read anew: who is behind its head reads what lies between.
  if (recent_.is_started() && head < recent_.end()) ++logs_;
  if (!recent_.is_started() || head != recent_.end()) recent_.start(head);
  wake_all();
}

void Feed::on_batch(std::string_view batch, std::uint64_t from) {
  for (auto& event : events_of(batch, from)) {
    if (on_event) on_event(*event);
    recent_.add(std::move(event));
  }
  wake_all();
}

void Feed::wake_all() {
  has_news_ = true;
  if (on_news_) on_news_();
}

// At once, and then not for as long as it takes to write to all of them: what comes meanwhile goes
// out with one write to each.
awaitable<void> Feed::wake_listeners() {
  asio::steady_timer news(co_await asio::this_coro::executor);
  boost::system::error_code ignored;
  on_news_ = [&news] { news.cancel(); };
  while (true) {
    news.expires_at(asio::steady_timer::time_point::max());
    if (!has_news_) co_await news.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    has_news_ = false;
    for (const auto& [wake, within] : listening_) (*wake)();
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(kWakeEvery * listening_.size());
    if (rest > kWakeAtOnce) co_await pause(rest);
  }
}

awaitable<void> Feed::summarize() {
  while (true) {
    co_await pause(kSummaryEvery);
    std::set<std::string> prefixes;
    for (const auto& [wake, within] : listening_) prefixes.insert(within.prefix());
    std::erase_if(summaries_, [&](const auto& entry) { return !prefixes.contains(entry.first); });
    Ring::Answer status = Value();
    for (const auto& prefix : prefixes) {
      Ring ring(fabric_, Within(prefix));
      // Who does not answer one answers none.
      if (status) status = co_await ring.ventilator("status", {}, {}, kSummaryEvery);
      tell(prefix, status);
    }
    if (!prefixes.empty()) wake_all();
  }
}

void Feed::tell(const std::string& prefix, const Ring::Answer& status) {
  Value summary = Value::Map{{"type", "summary"}, {"unix_ms", fabric_.world().unix_ms()}};
  if (recent_.is_started()) summary.set("head", recent_.end());
  for (const auto* name : {"queued", "waiting", "running", "accepted", "settled"})
    summary.set(name, status ? (*status)[name] : Value());
  if (status)  // It counts those that wait for something among the queued, too.
    summary.set("queued", (*status)["queued"].int_or(0) - (*status)["waiting"].int_or(0));
  if (!status) summary.set("error", status.error().message);
  auto& kept = summaries_[prefix];
  kept.json = summary.to_json();
  ++kept.number;
}

Follower::Follower(Feed& feed, Ring ring, Format format, TopicPattern pattern,
                   std::optional<std::uint64_t> from, Feed::Wake wake)
    : feed_(feed),
      ring_(std::move(ring)),
      format_(format),
      interest_{std::move(pattern), ring_.within()},
      at_(from),
      wake_(std::move(wake)),
      logs_(feed.logs()),
      summaries_(feed.summary(ring_.within()).number) {
  feed_.add(&wake_, ring_.within());
}
Follower::~Follower() { feed_.remove(&wake_); }

awaitable<Shared> Follower::next() {
  const auto& [summary, number] = feed_.summary(ring_.within());
  if (std::exchange(summaries_, number) != number) summarize(summary);
  if (feed_.recent().is_started()) {
    begin();
    if (*at_ < feed_.recent().begin() && out_.empty()) co_await read();
    if (*at_ > feed_.recent().end() && !is_checked_) co_await check();
  }
  if (!out_.empty()) co_return std::make_shared<const std::string>(std::exchange(out_, {}));
  while (at_ && *at_ >= feed_.recent().begin() && *at_ < feed_.recent().end()) {
    const auto& piece = feed_.piece(*at_, interest_, format_);
    at_ = piece.to;
    if (piece.bytes) co_return piece.bytes;
  }
  co_return nullptr;
}

// With how far all was told that is listened for: who comes back goes on there, even if none was.
void Follower::summarize(const std::string& summary) {
  const auto json = at_ ? text(summary.substr(0, summary.size() - 1), ",\"next\":", *at_, "}")
                        : summary;
  if (format_ == Format::kWebSocket) {
    out_ += http::encode_frame(http::Opcode::kText, json);
    return;
  }
  if (at_ && *at_ > 0) out_ += text("id: ", *at_ - 1, "\n");
  out_ += text("event: summary\ndata: ", json, "\n\n");
}

void Follower::begin() {
  const auto& recent = feed_.recent();
  if (!at_) at_ = recent.end();
  if (std::exchange(logs_, feed_.logs()) != feed_.logs()) {
    say("gone", Value::Map{{"offset", *at_},
                           {"kept_from", recent.begin()},
                           {"text", "the log was replaced by another one"}});
    at_ = recent.begin();
  }
  if (std::exchange(keeps_up_, *at_ >= recent.begin()) && !keeps_up_)
    say("behind", Value::Map{{"offset", *at_},
                             {"head", recent.end()},
                             {"text", "reads too slowly: goes on from the log"}});
}

// The sink knows whether the log goes that far: what is read of it here may be behind.
awaitable<void> Follower::check() {
  const auto page = co_await ring_.read_log(*at_);
  const bool is_beyond =
      !page && page.error().message.find("is beyond the log's head") != std::string::npos;
  is_checked_ = page || is_beyond;  // Else it is asked again when this is woken next.
  const auto end = feed_.recent().end();
  if (!is_beyond || *at_ <= end) co_return;
  say("gone", Value::Map{{"offset", *at_},
                         {"kept_from", end},
                         {"text", "the log ends before that: it was replaced by another one"}});
  at_ = end;
}

// A page of the log, however large its results are: of what is listened for, and how far it was
// looked for.
awaitable<void> Follower::read() {
  const auto pattern = interest_.pattern;
  const auto page = co_await ring_.read_log(*at_, pattern.written());
  if (pattern != interest_.pattern) co_return wake_();  // For another one it is looked for again.
  if (!page) co_return co_await pause(kReadAgain);  // The sink is away: it comes back.
  if (const auto kept_from = (*page)["kept_from"].int_or(-1); kept_from >= 0) {
    const auto oldest = static_cast<std::uint64_t>(kept_from);
    if (oldest <= *at_) co_return co_await pause(kReadAgain);
    say("gone", Value::Map{{"offset", *at_},
                           {"kept_from", oldest},
                           {"text", "what lies between is not kept any more"}});
    at_ = oldest;
    co_return;
  }
  const auto* records = (*page)["records"].as<protocol::Blob>();
  ByteReader reader(records == nullptr ? std::string_view() : std::string_view(records->bytes));
  const auto before = *at_;
  while (!reader.is_done()) {
    const auto batch = reader.take(reader.get<std::uint32_t>());
    if (!reader.ok()) break;
    for (const auto& event : events_of(batch, *at_)) {
      if (interest_.has(*event)) put_event(out_, *event, format_);
      at_ = event->offset + 1;
    }
  }
  // What is not listened for lies behind what was read.
  at_ = std::max(*at_, static_cast<std::uint64_t>((*page)["next"].int_or(0)));
  if (*at_ == before) co_await pause(kReadAgain);
  wake_();  // There is more, or what is recent.
}

void Follower::show(const protocol::Progress& progress) {
  if (out_.size() >= kProgressWaitingBytesMax) return;
  Value said = Value::Map{{"id", to_text(TaskId{progress.origin, progress.seq})},
                          {"worker", progress.worker},
                          {"done", progress.done},
                          {"total", progress.total},
                          {"text", progress.text}};
  if (!progress.stream.empty()) {
    said.set("stream", progress.stream);
    said.set("output", protocol::Blob{progress.payload});
  }
  say("progress", said);
  wake_();
}

void Follower::refuse(const std::string& why) {
  if (out_.size() >= kProgressWaitingBytesMax) return;
  say("error", Value::Map{{"text", why}});
  wake_();
}

void Follower::say(std::string_view type, const Value& said) {
  Value message = Value::Map{{"type", type}};
  for (const auto& [name, value] : *said.as<Value::Map>()) message.set(name, value);
  const auto json = message.to_json();
  out_ += format_ == Format::kWebSocket ? http::encode_frame(http::Opcode::kText, json)
                                        : text("event: ", type, "\ndata: ", json, "\n\n");
}

}  // namespace eole::gateway
