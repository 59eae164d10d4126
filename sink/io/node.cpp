#include "sink/io/node.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/protocol/answer.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/value.hpp"
#include "common/storage/real_disk.hpp"
#include "sink/io/artifacts.hpp"
#include "sink/io/queries.hpp"

namespace eole::sink {

using net::Role;
using protocol::decode;
using protocol::encode;
using protocol::encode_answer;
using protocol::Value;

namespace {

constexpr int kMessagesPerTurn = 256;
constexpr Duration kHeadEvery = 1s;      // A lost last notification shows within this time.
constexpr Duration kLevelsWithin = 5ms;  // Acknowledgements and settlements travel together.
constexpr std::uint64_t kLevelsCount = 8192;
// Results that come one by one during a sync show that more will: the next sync waits for them.
constexpr std::uint64_t kFewResults = 64;
constexpr Duration kGather = 500us;
constexpr Duration kUnbindMost = 3s;   // How long libzmq may take to let go of a port.
constexpr Duration kRestAfter = 20ms;  // Of silence; then the log says that all is durable.

}  // namespace

Node::Node(NodeOptions options)
    : options_(std::move(options)),
      directory_(storage::open_directory(options_.data + "/log")),
      artifacts_directory_(storage::open_directory(options_.data + "/artifacts")),
      log_(*directory_, {.entropy = process::random_u64(), .syncs = options_.syncs}),
      authority_(options_.cluster.is_encrypted()
                     ? net::Authority(options_.cluster.key_table, options_.cluster.server_key)
                     : net::Authority()),
      context_(options_.cluster, authority_),
      results_(context_, net::SocketType::kPull),
      publisher_(context_, net::SocketType::kPub),
      queries_(context_, net::SocketType::kRouter),
      published_to_(log_.core().head()) {
  publisher_.bind(options_.cluster.notifications);
  results_.bind(options_.cluster.results);
  queries_.bind(options_.cluster.queries);
  artifacts_.emplace(context_, authority_, options_.cluster.artifacts, *artifacts_directory_);
  poller_.add(stop_.fd(), is_stop_due_);
  for (auto* socket : {&results_, &queries_}) poller_.add(socket->fd(), socket->due());
}

int Node::run() {
  process::log_info(text("log ", hex(log_.core().log()), ", head ", log_.core().head(),
                         ", listening on ", options_.cluster.queries));
  while (!artifacts_->has_failed()) {
    drain(results_);
    drain(queries_);
    if (const auto written = perform(); written > 0 && written <= kFewResults) {
      poller_.wait(Duration(0));
      if (results_.due()) std::this_thread::sleep_for(kGather);
    }
    const auto now = process::now();
    publish_levels(now);
    publish_head(now);
    if (is_stop_due_ && stop_.take() > 0) return 0;
    auto until = next_head_;
    if (levels_due_) until = std::min(until, *levels_due_);
    const auto timeout = results_.due() || queries_.due() ? Duration(0) : until - now;
    if (!poller_.wait(std::min(timeout, kRestAfter)) && timeout > kRestAfter) {
      log_.rest();
      poller_.wait(timeout - kRestAfter);
    }
  }
  return 3;
}

void Node::drain(net::Socket& socket) {
  for (int count = 0; count < kMessagesPerTurn && socket.due(); ++count)
    if (auto received = socket.receive()) handle(std::move(*received));
}

void Node::handle(net::Received received) {
  auto head = protocol::HeadReader::parse(received.message.head);
  const auto refuse = [&](std::uint64_t request, std::string reason) {
    if (!received.peer.empty())
      queries_.send_to(received.peer, encode(protocol::Refused{request, std::move(reason)}));
  };
  if (!head) return refuse(0, head.error().message);
  const auto name = std::string(head->name());
  const auto take = [&]<class T>(std::type_identity<T>, Role role, auto&& then) {
    if (name != T::kName) return false;
    auto message = decode<T>(*head, std::move(received.message.payload));
    if (!message) return refuse(0, message.error().message), true;
    if (!authority_.allows(received.user, role)) {
      std::uint64_t request = 0;
      if constexpr (requires { message->request; }) request = message->request;
      refuse(request, text(name, ": this key does not have the role ", to_text(role)));
      return true;
    }
    then(*message);
    return true;
  };
  if (received.peer.empty()) {
    take(std::type_identity<protocol::Results>{}, Role::kWork,
         [&](protocol::Results& results) {
           if (is_full_) return;  // Unacknowledged: the worker sends it again.
           if (results.payload.size() > protocol::kPayloadBytesMax)  // No reader could have it.
             return process::log_warning(text("results of ", results.worker, ": ",
                                              results.payload.size(), " bytes, limit ",
                                              protocol::kPayloadBytesMax));
           auto missing = missing_artifacts(results.payload, *artifacts_directory_);
           log_.core().on_event(ResultsReceived{std::move(results), std::move(missing)}, actions_);
         }) ||
        take(std::type_identity<protocol::Verdicts>{}, Role::kSettle,
             [&](protocol::Verdicts& verdicts) {
               if (!is_full_) log_.core().on_event(VerdictsReceived{std::move(verdicts)}, actions_);
             }) ||
        take(std::type_identity<protocol::Progress>{}, Role::kWork,
             [&](protocol::Progress& progress) {
               const TaskId id{progress.origin, progress.seq};
               publisher_.publish("progress." + to_text(id), encode(progress));
             });
    return;
  }
  const auto& peer = received.peer;
  const auto reply = [&](std::uint64_t request, auto&& outcome) {
    if (!outcome) return refuse(request, outcome.error().message);
    queries_.send_to(peer, encode_answer(*outcome));
  };
  const bool is_known =
      take(std::type_identity<protocol::Follow>{}, Role::kSettle,
           [&](protocol::Follow& follow) {
             perform();  // What is read must be durable.
             const auto why = log_.core().why_not_followed(follow.origin, follow.nonce);
             if (why && follow.log == log_.core().log()) return refuse(follow.request, *why);
             reply(follow.request, log_.follow(follow));
           }) ||
      take(std::type_identity<protocol::Introduce>{}, Role::kSettle,
           [&](protocol::Introduce& introduce) {
             SeqRanges settled;
             if (!settled.decode(introduce.payload)) return refuse(introduce.request, "bad ranges");
             introduce.payload.clear();
             log_.core().on_event(IntroduceReceived{peer, std::move(introduce), std::move(settled)},
                                  actions_);
           }) ||
      take(std::type_identity<protocol::Read>{}, Role::kObserve,
           [&](protocol::Read& read) {
             perform();
             reply(read.request, log_.read(read));
           }) ||
      take(std::type_identity<protocol::Query>{}, Role::kObserve,
           [&](protocol::Query& query) {
             perform();
             handle_query(peer, query);
           }) ||
      take(std::type_identity<protocol::Discard>{}, Role::kSubmit, [&](protocol::Discard& discard) {
        SeqRanges seqs;
        if (is_full_) return refuse(discard.request, "storage full: the sink's disk has no room");
        if (!seqs.decode(discard.payload)) return refuse(discard.request, "discard: bad ranges");
        perform();
        handle_discard(peer, discard, seqs);
      });
  if (!is_known) refuse(0, text("message ", name, " is not for a sink"));
}

void Node::handle_query(const std::string& peer, const protocol::Query& query) {
  const auto answer = answer_to(query, log_);
  if (answer) {
    queries_.send_to(peer, encode_answer(protocol::Answer{query.request, answer->to_msgpack()}));
  } else {
    queries_.send_to(peer, encode(protocol::Refused{query.request, answer.error().message}));
  }
}

// Durable before it is answered, as everything that is appended.
void Node::handle_discard(const std::string& peer, const protocol::Discard& discard,
                          const SeqRanges& seqs) {
  auto letters = log_.letters_of(discard.origin, seqs);
  const Value answer = Value::Map{{"discarded", letters.count()}};
  if (letters.count() > 0) actions_.push_back(AppendDiscard{discard.origin, std::move(letters)});
  actions_.push_back(Reply{peer, protocol::Answer{discard.request, answer.to_msgpack()}});
}

// ---- Acting: append everything, one commit, then let it out.

std::uint64_t Node::perform() {
  if (actions_.empty()) return 0;
  const auto begun = process::now();
  log_.write(actions_);
  process::warn_of_slow_disk(begun);
  const auto before = news_count_;
  for (auto& action : actions_) std::visit([&](auto& concrete) { act(concrete); }, action);
  actions_.clear();
  return news_count_ - before;
}

void Node::act(AppendBatch& action) {
  publisher_.publish("result." + action.project,
                     encode(protocol::Notification{log_.core().log(), std::move(action.batch)}));
  for (const auto& [origin, settlement] : action.summary.settlements) news_[origin].add(settlement);
  news_count_ += action.summary.count;
  if (!levels_due_) levels_due_ = process::now() + kLevelsWithin;
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
  auto& level = acks_[action.run];
  level = std::max(level, action.level);
  if (!levels_due_) levels_due_ = process::now() + kLevelsWithin;
}

void Node::act(const Reply& action) {
  std::visit([&](const auto& message) { queries_.send_to(action.peer, encode(message)); },
             action.message);
}

void Node::publish_levels(TimePoint now) {
  if (!levels_due_ || (now < *levels_due_ && news_count_ < kLevelsCount)) return;
  const auto log = log_.core().log();
  const auto head = log_.core().head();
  for (const auto& [run, level] : acks_)
    publisher_.publish("ack." + hex(run), encode(protocol::Ack{log, run, level}));
  for (const auto& [origin, news] : news_) {
    auto settlement = protocol::encode_settlement(news);
    if (settlement.size() > protocol::kFrameBytesMax) continue;  // Its ventilator reads it instead.
    publisher_.publish(
        "settled." + origin_text(origin),
        encode(protocol::Settled{0, log, published_to_, head, head, std::move(settlement)}));
  }
  acks_.clear();
  news_.clear();
  news_count_ = 0;
  published_to_ = head;
  levels_due_.reset();
}

// A subscriber asks once, when it connects. So that a revoked key hears nothing more all are cut
// off: those that may be here come back within moments, and read in the log what they missed.
void Node::cut_off_revoked() {
  const auto seen = authority_.revocations();
  if (std::exchange(revocations_, seen) == seen) return;
  process::log_info("a key or a role was taken away: subscribers must connect anew");
  publisher_ = net::Socket(context_, net::SocketType::kPub);
  const auto until = process::now() + kUnbindMost;
  while (true) try {
      publisher_.bind(options_.cluster.notifications);
      return;
    } catch (const std::runtime_error&) {
      if (process::now() >= until) throw;
      std::this_thread::sleep_for(10ms);
    }
}

void Node::publish_head(TimePoint now) {
  if (now < next_head_) return;
  next_head_ = now + kHeadEvery;
  is_full_ = log_.is_full();
  cut_off_revoked();
  publisher_.publish("head", encode(protocol::LogHead{log_.core().log(), published_to_}));
}

}  // namespace eole::sink
