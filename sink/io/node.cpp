#include "sink/io/node.hpp"

#include <algorithm>
#include <utility>

#include "common/base/counted.hpp"
#include "common/base/own_files.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/net/bounds.hpp"
#include "common/process/log.hpp"
#include "common/protocol/answer.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/event.hpp"

namespace eole::sink {

using protocol::encode;

namespace {

constexpr int kMessagesPerTurn = 256;
// Of results, which a commit holds several times; and of questions, which wait for it.
constexpr std::size_t kTakenBytesMax = 8 << 20;
constexpr Duration kHeadEvery = 1s;      // A lost last notification shows within this time.
constexpr Duration kLevelsWithin = 5ms;  // Acknowledgements and settlements travel together.
constexpr std::uint64_t kLevelsCount = 8192;
constexpr Duration kGrownEvery = 20ms;  // To all members of groups.
// Results that come one by one during a sync show that more will: the next sync waits for them. If
// none came, others may wait for just these few, as the next task of a chain does.
constexpr std::uint64_t kFewResults = 64;
constexpr Duration kGather = 500us;
constexpr Duration kUnbindMost = 3s;  // How long libzmq may take to let go of a port.
constexpr Duration kBindEvery = 10ms;

}  // namespace

Node::Node(NodeOptions options, net::Transport& transport, net::Authority& authority,
           storage::Directory& log, ArtifactShelf& artifacts, HistoryDesk& history)
    : options_(std::move(options)),
      transport_(transport),
      authority_(authority),
      artifacts_(artifacts),
      history_(history),
      log_(log, options_.store, transport.unix_ms()),
      keep_(log_.unix_ms()),
      readers_(transport.now()),
      results_(transport.open(net::SocketType::kPull)),
      publisher_(transport.open(net::SocketType::kPub)),
      queries_(transport.open(net::SocketType::kRouter)),
      from_workers_("a sink", &authority_, [](const net::Sender&, const protocol::Refused&) {}),
      from_askers_("a sink", &authority_,
                   [this](const net::Sender& to, protocol::Refused refused) {
                     queries_.send_to(to.peer, encode(std::move(refused)));
                   }),
      published_to_(log_.core().head()),
      news_told_(static_cast<std::uint64_t>(transport.unix_ms()) * 1000),
      now_(transport.now()) {
  take_messages();
  log_.core().groups().start(now_);
  look_at_groups();
  history_.tell(log_.take_news());
  keep_artifacts();
  publisher_.bind(options_.cluster.notifications, net::kUnboundKeys);
  results_.bind(options_.cluster.results);
  queries_.bind(options_.cluster.queries);
  for (auto* socket : {&results_, &queries_, &publisher_})
    transport_.watch(socket->fd(), socket->due());
  process::log_info(text("log ", hex(log_.core().log()), ", head ", log_.core().head(),
                         ", listening on ", options_.cluster.queries));
}

TimePoint Node::turn() {
  give_answers();
  if (!planted("results-wait-for-questions") || history_.is_idle()) drain(results_, from_workers_);
  drain(queries_, from_askers_);
  if (log_.is_full())
    log_.core().groups().stop_listening();
  else
    log_.core().groups().on_deadline(transport_.now(), log_.core().log(), actions_);
  const auto written = perform();
  answer_questions();
  if (written > 0 && written <= kFewResults) {
    transport_.look();
    if (results_.due())
      transport_.pause(kGather);
    else if (news_count_ <= kFewResults && !planted("few-wait-for-company"))
      publish_settlements();
  }
  now_ = transport_.now();
  if (unbound_since_) bind_publisher();
  hear_subscribers();
  publish_levels();
  publish_grown();
  publish_head();
  if (results_.due() || queries_.due()) return now_;
  auto until = next_head_;
  if (const auto due = log_.core().groups().next_deadline(); due && !log_.is_full())
    until = std::min(until, *due);
  if (levels_due_) until = std::min(until, *levels_due_);
  if (grown_due_) until = std::min(until, *grown_due_);
  if (unbound_since_) until = std::min(until, now_ + kBindEvery);
  return until;
}

void Node::drain(net::Socket& socket, const net::Router& messages) {
  std::size_t bytes = 0;
  for (int count = 0; count < kMessagesPerTurn && bytes < kTakenBytesMax && socket.due(); ++count)
    if (auto received = socket.receive()) {
      bytes += received->message.payload.size();
      messages.route(std::move(*received));
    }
}

// ---- Acting: append everything, one commit, then let it out.

std::uint64_t Node::perform() {
  if (actions_.empty()) return 0;
  const auto begun = transport_.now();
  const auto syncs = log_.syncs();
  log_.write(actions_, transport_.unix_ms());
  history_.tell(log_.take_news());
  now_ = transport_.now();
  process::warn_of_slow_disk(now_ - begun);
  if (log_.syncs() != syncs)
    commits_.add(std::chrono::duration_cast<std::chrono::microseconds>(now_ - begun));
  const auto before = news_count_;
  for (auto& action : actions_) std::visit([&](auto& concrete) { act(concrete); }, action);
  actions_.clear();
  retain();
  return news_count_ - before;
}

// What does not go, because somebody reads too slowly, is read in the log by all who want it.
void Node::publish(const std::string& topic, protocol::Message&& message) {
  if (publisher_.publish(topic, std::move(message))) return;
  const auto& core = log_.core();
  publisher_.publish("head", encode(protocol::LogHead{core.log(), core.head(), wants_news()}));
}

// For subscribers who read one result a message. What they are too slow for is in the log.
void Node::publish_events(std::string_view batch) {
  if (listeners_.is_empty()) return;
  protocol::each_event(
      batch, log_.core().log(), [&](std::string_view topic) { return listeners_.wants(topic); },
      [&](const std::string& topic, std::string event) {
        publisher_.send(protocol::Message{topic, std::move(event)});
      });
}

// Of the moment: without an offset, and gone with whoever does not read it.
void Node::publish_news(const protocol::NewsItem& item, const std::string& source) {
  ++news_told_;
  protocol::publish_event(
      protocol::topic_of(item), [&](std::string_view topic) { return listeners_.wants(topic); },
      [&](const std::string& topic, std::string event) {
        publisher_.send(protocol::Message{topic, std::move(event)});
      },
      [&] { return protocol::event_of(item, source, news_told_); });
}

// A person may have to look at them. One line for all that came together: who lets thousands of
// tasks die drives out no other's lines.
void Node::tell_dead(const AppendBatch& action) const {
  const auto is_dead = [](const auto& end) { return end.state == protocol::TaskState::kDead; };
  const bool has_dead =
      std::any_of(action.settlements.begin(), action.settlements.end(), [&](const auto& each) {
        const auto& ends = each.second.not_done;
        return std::any_of(ends.begin(), ends.end(), is_dead);
      });
  if (!has_dead) return;
  const auto batch = protocol::read_batch(action.batch);
  protocol::ResultReader results(batch->records);
  std::optional<protocol::ResultRecord> first;
  std::uint64_t others = 0;
  while (auto result = results.next()) {
    if (!is_dead(*result)) continue;
    others += first.has_value();
    if (!first) first = result;
  }
  process::log_warning(
      text(first->kind, ": a dead letter after ", counted(first->attempt, "attempt"),
           others == 0 ? "" : text(", and ", counted(others, "more letter"))),
      first->id);
}

void Node::act(AppendBatch& action) {
  tell_dead(action);
  publish_events(action.batch);
  publish("result." + action.project,
          encode(protocol::Notification{log_.core().log(), std::move(action.batch)}));
  for (const auto& [origin, settlement] : action.settlements) news_[origin].add(settlement);
  news_count_ += action.summary.count;
  if (!grown_due_) grown_due_ = std::max(now_, grown_ + kGrownEvery);
  if (!levels_due_) levels_due_ = now_ + kLevelsWithin;
}

void Node::act(const AppendIntroduction& action) {
  process::log_info(
      text("origin ", origin_text(action.origin), ": introduced, start ", action.start));
}

void Node::act(const AppendDiscard& action) {
  process::log_info(text("origin ", origin_text(action.origin), ": ", action.seqs.count(),
                         " dead letters discarded"));
}

void Node::act(const PublishAck& action) {
  auto& level = acks_[{action.run, action.origin}];
  level = std::max(level, action.level);
  if (!levels_due_) levels_due_ = now_ + kLevelsWithin;
}

void Node::act(const Reply& action) {
  std::visit([&](const auto& message) { queries_.send_to(action.peer, encode(message)); },
             action.message);
}

void Node::publish_levels() {
  if (!levels_due_ || (now_ < *levels_due_ && news_count_ < kLevelsCount)) return;
  const auto log = log_.core().log();
  for (const auto& [run, level] : acks_)
    publisher_.publish("ack." + hex(run.first),
                       encode(protocol::Ack{log, run.first, level, run.second}));
  acks_.clear();
  publish_settlements();
  levels_due_.reset();
}

void Node::publish_settlements() {
  const auto log = log_.core().log();
  const auto head = log_.core().head();
  for (const auto& [origin, news] : news_) {
    auto settlement = protocol::encode_settlement(news);
    if (settlement.size() > protocol::kSettlementBytesMax) continue;  // Its ventilator reads it.
    publish("settled." + origin_text(origin),
            encode(protocol::Settled{0, log, published_to_, head, head, std::move(settlement)}));
  }
  news_.clear();
  news_count_ = 0;
  published_to_ = head;
}

// Once what was written has left. The history lets go of a segment first: nobody reads what is
// gone.
void Node::retain() {
  const auto& core = log_.core();
  const auto segment = log_.segment_to_drop(options_.retention,
                                            readers_.needed_from(core.origins(), core.head(), now_),
                                            transport_.unix_ms(), held_from_);
  if (segment && planted("segment-dropped-under-a-reader")) return log_.drop(*segment, {});
  if (segment) history_.release(*segment);
}

void Node::give_answers() {
  auto taken = history_.take();
  for (auto& answer : taken.answers) {
    SeqRanges seqs;
    if (!answer.discard)
      queries_.send_to(answer.peer, std::move(answer.message));
    else if (seqs.decode(answer.discard->payload))
      take_off(answer.peer, answer.discard->request, answer.discard->origin, seqs);
  }
  if (!taken.released) return;
  log_.drop(taken.released->segment, taken.released->letters);
  history_.tell(log_.take_news());
  retain();
}

// A subscriber asks once, when it connects. So that a revoked key hears nothing more all are cut
// off: those that may be here come back within moments, and read in the log what they missed.
void Node::cut_off_revoked() {
  const auto seen = authority_.revocations();
  if (std::exchange(revocations_, seen) == seen) return;
  cut_off("a key or a role was taken away");
}

// Over ipc there are only processes of the same user.
void Node::hear_subscribers() {
  if (!publisher_.due()) return;
  const bool had_none = listeners_.is_empty();
  while (const auto subscription = publisher_.next_subscription()) {
    if (subscription->is_end)
      listeners_.leave(subscription->topic, subscription->user);
    else
      listeners_.hear(subscription->topic, subscription->user.value_or(""));
  }
  if (listeners_.is_empty() != had_none) next_head_ = now_;  // Whoever has news hears of it.
  const auto bytes = listeners_.topic_bytes();
  if (bytes > net::kTopicBytesMax && !authority_.is_open())
    cut_off(text(bytes, " bytes of topics, limit ", net::kTopicBytesMax));
}

void Node::cut_off(const std::string& why) {
  process::log_info(why + ": subscribers must connect anew");
  const OwnFiles own;
  transport_.unwatch(publisher_.fd());
  publisher_ = transport_.open(net::SocketType::kPub);
  listeners_ = {};
  transport_.watch(publisher_.fd(), publisher_.due());
  unbound_since_ = now_;
  bind_publisher();
}

// What is published meanwhile nobody hears, as in the moments when nobody is connected.
void Node::bind_publisher() {
  try {
    publisher_.bind(options_.cluster.notifications, net::kUnboundKeys);
    unbound_since_.reset();
  } catch (const std::runtime_error&) {
    if (now_ - *unbound_since_ >= kUnbindMost) throw;
  }
}

// No record has a later one, whatever clocks do.
std::int64_t Node::artifact_time() const {
  return std::max({keep_.unix_ms(), transport_.unix_ms(), log_.unix_ms()});
}

// Before the first one is put, and then every now and then.
void Node::keep_artifacts() {
  const auto& core = log_.core();
  const auto oldest = core.head() > 0 ? std::optional(log_.oldest_unix_ms()) : std::nullopt;
  const auto before =
      keep_.superfluous_before(now_, artifact_time(), oldest, core.origins(), readers_);
  artifacts_.set_times(keep_.unix_ms(), before);
}

void Node::publish_head() {
  if (now_ < next_head_) return;
  next_head_ = now_ + kHeadEvery;
  look_at_groups();
  retain();
  cut_off_revoked();
  keep_artifacts();
  if (!listeners_.is_empty())
    if (const auto news = disk_.look("sink", log_.free_bytes(), now_, transport_.unix_ms()))
      publish_news(*news, "/eole/sink");
  publisher_.publish("head", encode(protocol::LogHead{log_.core().log(), published_to_, wants_news()}));
}

// So that who waits for results of any project, and reads them from the log, hears of some.
void Node::publish_grown() {
  if (!grown_due_ || now_ < *grown_due_) return;
  grown_due_.reset();
  grown_ = now_;
  publisher_.publish("grown", encode(protocol::LogHead{log_.core().log(), log_.core().head()}));
}

// Every second, and when a person has set a cursor: what they hold only grows less meanwhile.
void Node::look_at_groups() {
  const auto& core = log_.core();
  held_from_ = core.groups().held_from(core.head(), now_);
  const auto end = log_.oldest_segment_end();
  const bool would_go =
      end > held_from_ &&
      log_.segment_to_drop(options_.retention,
                           readers_.needed_from(core.origins(), core.head(), now_),
                           transport_.unix_ms(), UINT64_MAX);
  held_by_ = would_go ? core.groups().holders(end, now_) : std::vector<std::string>{};
}

}  // namespace eole::sink
