#include "gateway/io/group_reading.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <tuple>

#include "clients/cpp/session/group_pieces.hpp"
#include "common/base/text.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/wanted.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"

namespace eole::gateway {

using http::Problem;
using Answer = std::optional<http::Response>;

namespace {

constexpr std::string_view kRecords = "/groups/{name}/records";
constexpr std::size_t kReadingsMax = 128;
constexpr std::size_t kReadingsPerCallerMax = 32;
constexpr std::size_t kMemberNameBytesMax = 200;
constexpr std::uint32_t kRecordsPreset = 100;
constexpr std::uint32_t kRecordsAtOnceMax = 1000;
constexpr std::size_t kRecordsBytesMax = 1 << 20;
constexpr int kLookedAtMax = 10'000;        // Records, before others of the loop have their turn.
constexpr Duration kReadWaitLeast = 500ms;  // It joins, and is given something, within it.
constexpr Duration kReadWaitMax = 60s;
constexpr Duration kMemberTime = 60s;
constexpr Duration kMemberTimeMax = 1h;
constexpr Duration kGlanceEvery = 200ms;
constexpr Duration kCommitGlance = 5ms;
constexpr Duration kCommitTime = 10s;

/// A member of a group for somebody who asks over HTTP. What it is given is one batch at a time,
/// the same again until that is committed: an answer may be lost.
class Reading {
 public:
  Reading(Fabric& fabric, const std::string& group, const std::string& name,
          const std::string& within)
      : member_(
            fabric.session(), fabric.cluster(), group, name,
            pieces_.callbacks([this](const auto& trouble) { take(trouble); }, [this] { wake(); }),
            within),
        batch_(fabric.world().random() >> 24) {}  // A number that JSON has room for.

  client::GroupMember& member() { return member_; }
  std::uint64_t batch() const { return batch_; }
  bool is_open() const { return is_open_; }
  bool was_committed(std::uint64_t batch) const { return batch != 0 && batch == committed_; }
  void end_batch() {
    committed_ = batch_;
    is_open_ = false;
  }

  /// False: nothing that is wanted came yet. What is not wanted counts as read.
  bool fill(std::uint32_t most, const protocol::Wanted& wanted) {
    if (is_open_) return true;
    records_.clear();
    gone_.clear();
    std::size_t bytes = 0;
    int looked_at = 0;
    for (; looked_at < kLookedAtMax && records_.size() < most && bytes < kRecordsBytesMax;
         ++looked_at) {
      const auto next = pieces_.take(member_);
      if (const auto* gone = std::get_if<client::TellGone>(&next))
        gone_.push_back(Value::Array{gone->first, gone->last});
      const auto* record = std::get_if<client::GroupRecord>(&next);
      if (next.index() == 0) break;
      if (record == nullptr || !wanted.has(record->result)) continue;
      auto view = protocol::view_of(record->result, record->worker, record->offset);
      view.set("partition", record->partition);
      bytes += record->result.body.size();
      records_.push_back(std::move(view));
    }
    has_more_ = looked_at == kLookedAtMax;
    is_open_ = !records_.empty() || !gone_.empty();
    if (is_open_) ++batch_;
    if (!is_open_ && looked_at > 0) member_.tell(client::CommitWanted{});
    return is_open_;
  }
  bool has_more() const { return has_more_; }
  Value told() const {
    return Value::Map{{"batch", is_open_ ? Value(batch_) : Value()},
                      {"records", is_open_ ? records_ : Value::Array{}},
                      {"gone", is_open_ ? gone_ : Value::Array{}}};
  }

  /// Why it does not go on; a silence of the sink is told once.
  std::optional<client::GroupTrouble> trouble() {
    auto told = trouble_;
    if (told && !told->is_over) trouble_.reset();
    return told;
  }
  bool is_over() const { return trouble_ && trouble_->is_over; }

  /// Whoever waits for it is woken; one at a time, the last who came.
  asio::steady_timer* waiting = nullptr;
  void wake() {
    if (waiting != nullptr) waiting->cancel();
  }
  Duration lease{};
  TimePoint until{};
  bool has_left = false;

 private:
  void take(const client::GroupTrouble& trouble) {
    if (!is_over()) trouble_ = trouble;
    wake();
  }

  client::GroupPieces pieces_;
  std::optional<client::GroupTrouble> trouble_;
  bool is_open_ = false;  // It is not committed yet.
  bool has_more_ = false;
  Value::Array records_;
  Value::Array gone_;
  client::GroupMember member_;
  std::uint64_t batch_;          // The last that was given: of this membership alone …
  std::uint64_t committed_ = 0;  // … and that was committed.
};

using SharedReading = std::shared_ptr<Reading>;  // Of the list, and of the requests for it.

class Readings {
 public:
  explicit Readings(Gateway& gateway) : gateway_(gateway) {}

  awaitable<Answer> records(Exchange& exchange) {
    const auto& request = exchange.request;
    const auto member = request.option("member").value_or("");
    const auto most = count_of(request, "max", kRecordsPreset, kRecordsAtOnceMax);
    const auto wait = std::max(kReadWaitLeast, duration_of(request, "wait", {}, kReadWaitMax));
    const auto lease = duration_of(request, "lease", kMemberTime, kMemberTimeMax);
    if (lease < 1s) throw Problem(400, "lease: at least 1s");
    std::optional<TopicPattern> topic;
    if (const auto written = request.option("topic")) {
      auto parsed = TopicPattern::parse(*written);
      if (!parsed) throw Problem(400, parsed.error().message);
      topic = std::move(*parsed);
    }
    const protocol::Wanted wanted(Within(exchange.caller.prefix), std::move(topic));
    const auto key = key_of(exchange, member);
    const auto reading = open(key);
    reading->lease = lease;
    renew(*reading);
    asio::steady_timer timer(co_await asio::this_coro::executor);
    reading->wake();
    reading->waiting = &timer;
    const std::shared_ptr<void> taken_out(nullptr, [&](void*) {
      if (reading->waiting == &timer) reading->waiting = nullptr;
    });
    const auto until = now() + wait;
    while (true) {
      if (reading->waiting != &timer)
        throw Problem(409, text("member ", member, ": another request reads for it now"));
      check(key, *reading);
      if (is_stopping_) break;
      if (reading->has_left) throw Problem(409, text("member ", member, ": has left"));
      if (reading->member().core().may_hand_out(now()) && reading->fill(most, wanted)) break;
      if (now() >= until || exchange.is_gone()) break;
      timer.expires_after(reading->has_more() ? Duration{}
                                              : std::min<Duration>(kGlanceEvery, until - now()));
      boost::system::error_code ignored;
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      renew(*reading);
    }
    auto told = reading->told();
    told.set("group", group_of(exchange));
    told.set("member", member);
    co_return json(200, told);
  }

  awaitable<Answer> commit(Exchange& exchange) {
    const auto said = co_await read_map(exchange);
    only(said, {{"member", Member::Is::kName}, {"batch", Member::Is::kWhole}});
    const auto member = said["member"].text_or("");
    const auto key = key_of(exchange, member);
    const auto reading = find(key);
    const auto* number = said["batch"].as<std::int64_t>();
    const auto batch = number == nullptr ? 0 : static_cast<std::uint64_t>(*number);
    const Value answer =
        Value::Map{{"group", group_of(exchange)}, {"member", member}, {"batch", batch}};
    renew(*reading);
    if (reading->was_committed(batch)) co_return json(200, answer);
    if (!reading->is_open() || batch != reading->batch())
      throw Problem(
          409, text("batch ", batch, ": is not the one that member ", member, " was given last"));
    reading->member().tell(client::CommitWanted{});
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const auto until = now() + kCommitTime;
    while (!reading->member().core().is_committed()) {
      check(key, *reading);
      if (now() >= until) throw Problem(503, "the sink does not answer; commit it again");
      timer.expires_after(kCommitGlance);
      boost::system::error_code ignored;
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (batch == reading->batch()) reading->end_batch();
    co_return json(200, answer);
  }

  // What is not committed is others' at once.
  awaitable<Answer> leave(Exchange& exchange) {
    const auto said = co_await read_map(exchange);
    only(said, {{"member", Member::Is::kName}});
    const auto member = said["member"].text_or("");
    const auto reading = find(key_of(exchange, member));
    leave(*reading);
    readings_.erase(key_of(exchange, member));
    leaving_.push_back(reading);
    co_return json(200, Value::Map{{"group", group_of(exchange)}, {"member", member}});
  }

  /// Who does not ask any more is no member any more; for ever.
  awaitable<void> tidy() {
    const auto end = gateway_.on_stop([this] { stop(); });
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (true) {
      timer.expires_after(1s);
      boost::system::error_code ignored;
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      leaving_.clear();  // A second ago they said so.
      for (auto one = readings_.begin(); one != readings_.end();) {
        const auto& reading = one->second;
        if (now() < reading->until) {  // Of one that is over it is still to be told why.
          ++one;
          continue;
        }
        leave(*reading);
        leaving_.push_back(reading);
        one = readings_.erase(one);
      }
    }
  }

 private:
  /// By who asks, too: another one's member is another member, whatever it is called.
  using Key = std::tuple<std::string, std::string, std::string, std::string>;

  TimePoint now() { return gateway_.fabric().world().now(); }
  static std::string group_of(const Exchange& exchange) {
    return segment(kRecords, exchange.request, "name");
  }
  static Key key_of(const Exchange& exchange, const std::string& member) {
    if (member.empty() || member.size() > kMemberNameBytesMax)
      throw Problem(400,
                    text("member: its name has ", member.size(), " bytes, limits 1 and ",
                         kMemberNameBytesMax),
                    {{"/member", "is missing, or too long"}});
    const auto& caller = exchange.caller;
    return {caller.sha256, caller.prefix, group_of(exchange), member};
  }
  void renew(Reading& reading) { reading.until = now() + reading.lease; }
  static void leave(Reading& reading) {
    reading.has_left = true;
    if (!reading.is_over()) reading.member().tell(client::LeaveWanted{});
    reading.wake();
  }

  SharedReading open(const Key& key) {
    if (const auto known = readings_.find(key); known != readings_.end()) return known->second;
    if (readings_.size() >= kReadingsMax) {
      Problem problem(503, text(kReadingsMax, " members read by this gateway already: the limit"));
      problem.fields.push_back({"Retry-After", "10"});
      throw problem;
    }
    const auto& [caller, prefix, group, member] = key;
    const auto own = std::count_if(readings_.begin(), readings_.end(), [&](const auto& one) {
      return std::get<0>(one.first) == caller;
    });
    if (own >= static_cast<std::ptrdiff_t>(kReadingsPerCallerMax))
      throw Problem(429,
                    text(kReadingsPerCallerMax, " members of this token read already: the limit"));
    return readings_
        .emplace(key, std::make_shared<Reading>(gateway_.fabric(), group, member, prefix))
        .first->second;
  }
  SharedReading find(const Key& key) {
    const auto known = readings_.find(key);
    if (known == readings_.end())
      throw Problem(404, text("member ", std::get<3>(key), " of group ", std::get<2>(key),
                              ": reads at this gateway no more, or never did"));
    return known->second;
  }
  // It is over: who asks again joins anew.
  void check(const Key& key, Reading& reading) {
    const auto trouble = reading.trouble();
    if (!trouble) return;
    if (!trouble->is_over) throw problem_of(trouble->error);
    if (const auto known = readings_.find(key);
        known != readings_.end() && known->second.get() == &reading)
      readings_.erase(known);
    throw problem_of(trouble->error);
  }
  void stop() {
    is_stopping_ = true;
    for (const auto& [key, reading] : readings_) leave(*reading);
  }

  Gateway& gateway_;
  std::map<Key, SharedReading> readings_;
  std::vector<SharedReading> leaving_;
  bool is_stopping_ = false;
};

}  // namespace

void add_group_reading(Routes& routes, Gateway& gateway) {
  const auto readings = std::make_shared<Readings>(gateway);
  using enum net::Role;
  routes.add({"GET", kRecords, kSubmit, Reach::kWithin,
              [=](Exchange& e) { return readings->records(e); }, false, false});
  routes.add({"POST", "/groups/{name}/commit", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return readings->commit(e); }});
  routes.add({"POST", "/groups/{name}/leave", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return readings->leave(e); }});
  asio::co_spawn(
      gateway.io(), [readings] { return readings->tidy(); }, asio::detached);
}

}  // namespace eole::gateway
