#include "ventilator/io/node.hpp"

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/sha256.hpp"
#include "common/protocol/answer.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/value.hpp"
#include "common/storage/real_disk.hpp"
#include "ventilator/io/queries.hpp"
#include "ventilator/io/verdict.hpp"

namespace eole::ventilator {

using net::Role;
using protocol::decode;
using protocol::encode;
using protocol::encode_answer;
using protocol::Value;

namespace {

constexpr int kMessagesPerTurn = 512;
constexpr std::size_t kBytesPerTurn = 8 << 20;  // Workers wait for tasks while more is committed.
constexpr Duration kSpaceCheck = 1s;
constexpr Duration kKeyCheck = 1s;
constexpr Duration kRestAfter = 20ms;    // Of silence; then the journal says that all is durable.
constexpr Duration kBacklogRetry = 1ms;  // A pipe that was just opened takes moments to stand.
constexpr std::size_t kKeyBytesMax = 256;

}  // namespace

Node::Node(NodeOptions options)
    : options_(std::move(options)),
      directory_(storage::open_directory(options_.data)),
      journal_(*directory_, {.entropy = process::random_u64(), .syncs = options_.syncs},
               process::boot_id()),
      authority_(options_.cluster.is_encrypted()
                     ? net::Authority(options_.cluster.key_table, options_.cluster.server_key)
                     : net::Authority()),
      context_(options_.cluster, authority_),
      router_(context_, net::SocketType::kRouter),
      sink_(context_, net::SocketType::kDealer),
      verdicts_(context_, net::SocketType::kPush),
      news_(context_, net::SocketType::kSub),
      nonce_(process::random_u64()),
      core_(options_.config, journal_.take_recovered(), process::now()) {
  sink_.connect(options_.cluster.queries);
  verdicts_.connect(options_.cluster.results);
  news_.subscribe("settled." + origin_text(core_.origin()));
  news_.subscribe("head");
  news_.connect(options_.cluster.notifications);
  router_.bind(options_.cluster.ventilator);
  poller_.add(stop_.fd(), is_stop_due_);
  for (auto* socket : {&router_, &sink_, &news_}) poller_.add(socket->fd(), socket->due());
}

int Node::run() {
  process::log_info(text("origin ", origin_text(core_.origin()), ", start ", core_.start(), ", ",
                         core_.queued(), " tasks queued, listening on ",
                         options_.cluster.ventilator));
  while (stop_reason_.empty()) {
    const auto now = process::now();
    for (auto* socket : {&router_, &sink_, &news_}) drain(*socket, now);
    drain_monitors(now);
    cut_off_revoked(now);
    core_.on_deadline(now, actions_);
    perform();
    const bool has_backlog = flush_backlogs();
    if (is_stop_due_ && stop_.take() > 0) return 0;  // What is accepted is durable.
    auto timeout = kSpaceCheck;
    if (const auto next = core_.next_deadline()) timeout = std::min(timeout, *next - now);
    if (has_backlog) timeout = std::min(timeout, kBacklogRetry);
    if (router_.due() || sink_.due() || news_.due()) timeout = Duration(0);
    if (!poller_.wait(std::min(timeout, kRestAfter)) && timeout > kRestAfter) {
      journal_.rest();
      poller_.wait(timeout - kRestAfter);
    }
  }
  process::log_error(stop_reason_);
  return 3;
}

void Node::drain(net::Socket& socket, TimePoint now) {
  std::size_t bytes = 0;
  for (int count = 0; count < kMessagesPerTurn && bytes < kBytesPerTurn && socket.due(); ++count)
    if (auto received = socket.receive()) {
      bytes += received->message.payload.size();
      handle(std::move(*received), now);
    }
}

void Node::drain_monitors(TimePoint now) {
  if (!std::exchange(is_monitor_due_, false)) return;
  for (auto& [link, pipe] : pipes_)
    while (const auto event = pipe.monitor.next())
      if (*event == net::ConnectionEvent::kDown) core_.on_event(PipeEnded{link}, now, actions_);
}

// A pipe asks for the key once, when its worker connects.
void Node::cut_off_revoked(TimePoint now) {
  if (now < next_key_check_) return;
  next_key_check_ = now + kKeyCheck;
  const auto seen = authority_.revocations();
  if (std::exchange(revocations_, seen) == seen) return;
  std::vector<Link> revoked;
  for (const auto& [link, pipe] : pipes_)
    if (!authority_.allows(pipe.user, Role::kWork)) revoked.push_back(link);
  for (const auto& link : revoked) {
    process::log_info(text("worker on run ", hex(link.run), ": its key was taken away"));
    act(ClosePipe{link});
    core_.on_event(PipeEnded{link}, now, actions_);
  }
}

void Node::handle(net::Received received, TimePoint now) {
  auto head = protocol::HeadReader::parse(received.message.head);
  const auto refuse = [&](std::uint64_t request, std::string reason) {
    if (!received.peer.empty())
      router_.send_to(received.peer, encode(protocol::Refused{request, std::move(reason)}));
  };
  if (!head) return refuse(0, head.error().message);
  const auto name = std::string(head->name());
  // Decodes the message as T, checks the sender's role, and hands it on; true if it was a T.
  const auto take = [&]<class T>(std::type_identity<T>, Role role, auto&& then) {
    if (name != T::kName) return false;
    auto message = decode<T>(*head, std::move(received.message.payload));
    if (!message) return refuse(0, message.error().message), true;
    if (!received.peer.empty() && !authority_.allows(received.user, role)) {
      std::uint64_t request = 0;
      if constexpr (requires { message->request; }) request = message->request;
      refuse(request, text(name, ": this key does not have the role ", to_text(role)));
      return true;
    }
    then(*message);
    return true;
  };
  const auto event = [&](Event concrete) { core_.on_event(std::move(concrete), now, actions_); };
  const bool is_from_sink = received.peer.empty();

  if (is_from_sink) {
    take(std::type_identity<protocol::Settled>{}, Role::kSettle,
         [&](protocol::Settled& settled) {
           auto settlement = protocol::decode_settlement(settled.payload);
           if (!settlement) return;
           settled.payload.clear();
           event(SettledReceived{std::move(settled), std::move(*settlement)});
         }) ||
        take(std::type_identity<protocol::LogHead>{}, Role::kSettle,
             [&](protocol::LogHead& log) {
               event(SettledReceived{{0, log.log, log.head, log.head, log.head, {}}, {}});
             }) ||
        take(std::type_identity<protocol::Introduced>{}, Role::kSettle,
             [&](protocol::Introduced& introduced) {
               SeqRanges settled;
               if (!settled.decode(introduced.payload)) return;
               event(IntroducedReceived{static_cast<std::uint32_t>(introduced.request),
                                        introduced.log, introduced.offset, std::move(settled)});
             }) ||
        take(std::type_identity<protocol::Refused>{}, Role::kSettle,
             [&](protocol::Refused& refused) { event(SinkRefused{refused.reason}); });
    return;
  }
  const auto& peer = received.peer;
  const auto held_of = [&](auto& message, auto&& then) {
    auto held = protocol::decode_held(message.payload);
    if (!held) return refuse(0, held.error().message);
    message.payload.clear();
    then(std::move(*held));
  };
  const bool is_known =
      take(std::type_identity<protocol::Submit>{}, Role::kSubmit,
           [&](protocol::Submit& submit) {
             if (submit.payload.size() > protocol::kPayloadBytesMax)  // No pipe could carry it on.
               return refuse(submit.request, text("submit: ", submit.payload.size(),
                                                  " bytes, limit ", protocol::kPayloadBytesMax));
             const auto count = protocol::count_task_specs(submit.payload);
             if (!count) return refuse(submit.request, count.error().message);
             if (*count != submit.count)
               return refuse(submit.request,
                             text("submit: says ", submit.count, " tasks, has ", *count));
             if (submit.key.size() > kKeyBytesMax)
               return refuse(submit.request, text("submit: key of ", submit.key.size(),
                                                  " bytes, limit ", kKeyBytesMax));
             if (now >= next_space_check_) {
               next_space_check_ = now + kSpaceCheck;
               is_full_ = journal_.is_full();
             }
             auto hash = submit.key.empty() ? "" : process::sha256(submit.payload);
             event(
                 Submitted{peer, std::move(submit), std::move(hash), is_full_, process::unix_ms()});
           }) ||
      take(std::type_identity<protocol::Credit>{}, Role::kWork,
           [&](protocol::Credit& credit) {
             event(CreditReceived{peer, credit});
           }) ||
      take(std::type_identity<protocol::Beat>{}, Role::kWork,
           [&](protocol::Beat& beat) {
             held_of(beat, [&](auto held) {
               event(BeatReceived{peer, std::move(beat), std::move(held)});
             });
           }) ||
      take(std::type_identity<protocol::Hello>{}, Role::kWork,
           [&](protocol::Hello& hello) {
             held_of(hello, [&](auto held) {
               users_[peer] = received.user;
               event(HelloReceived{peer, std::move(hello), std::move(held)});
             });
           }) ||
      take(std::type_identity<protocol::Goodbye>{}, Role::kWork,
           [&](protocol::Goodbye& goodbye) {
             event(GoodbyeReceived{{goodbye.start, goodbye.run, goodbye.hello}});
           }) ||
      take(std::type_identity<protocol::Cancel>{}, Role::kSubmit,
           [&](protocol::Cancel& cancel) {
             SeqRanges seqs;
             if (!seqs.decode(cancel.payload)) return refuse(cancel.request, "cancel: bad ranges");
             if (seqs.count() > protocol::kTasksPerMessageMax)
               return refuse(cancel.request, text("cancel: ", seqs.count(), " tasks, limit ",
                                                  protocol::kTasksPerMessageMax));
             CancelAsked asked{peer, cancel.request, cancel.origin, {}};
             for (const auto& [first, last] : seqs.ranges()) asked.ranges.push_back({first, last});
             event(std::move(asked));
           }) ||
      take(std::type_identity<protocol::Query>{}, Role::kObserve,
           [&](protocol::Query& query) { handle_query(peer, query); });
  if (!is_known) refuse(0, text("message ", name, " is not for a ventilator"));
}

void Node::handle_query(const std::string& peer, const protocol::Query& query) {
  const auto answer = answer_to(query, core_, journal_);
  if (answer) {
    router_.send_to(peer, encode_answer(protocol::Answer{query.request, answer->to_msgpack()}));
  } else {
    router_.send_to(peer, encode(protocol::Refused{query.request, answer.error().message}));
  }
}

// ---- Acting.

void Node::perform() {
  if (actions_.empty()) return;
  const auto begun = process::now();
  journal_.write(actions_, [this] { return core_.checkpoint(); });
  process::warn_of_slow_disk(begun);
  for (const auto& action : actions_)
    std::visit([&](const auto& concrete) { act(concrete); }, action);
  for (auto& [peer, acceptances] : accepted_)  // What one sync covered is one answer.
    router_.send_to(peer, encode(protocol::Accepted{core_.origin(), std::move(acceptances)}));
  accepted_.clear();
  actions_.clear();
  users_.clear();
  journal_.collect(core_.settled());
}

void Node::act(const Reply& action) {
  const auto send = [&](const auto& message) { router_.send_to(action.peer, encode(message)); };
  if (const auto* acceptance = std::get_if<protocol::Acceptance>(&action.message)) {
    protocol::put_acceptance(accepted_[action.peer], *acceptance);
  } else if (const auto* refused = std::get_if<protocol::Refused>(&action.message)) {
    send(*refused);
  } else {
    send(std::get<protocol::Answer>(action.message));
  }
}

void Node::act(const WelcomeWorker& action) {
  auto found = pipes_.find(action.link);
  if (found == pipes_.end()) {
    const auto& cluster = options_.cluster;
    const auto user = users_[action.peer];
    net::Socket socket(context_, net::SocketType::kPush);
    net::Monitor monitor(context_, socket);
    auto endpoint = cluster.pipes;
    if (!cluster.is_encrypted())
      endpoint += text("/p", hex(action.link.run).substr(0, 8), "-", action.link.hello);
    try {
      endpoint = socket.bind(endpoint, user);
    } catch (const std::exception& error) {
      process::log_error(text("worker on run ", hex(action.link.run), " has to wait: ", error.what()));
      return;  // Without a welcome it grants no credit, and says hello again.
    }
    poller_.add(monitor.fd(), is_monitor_due_);
    is_monitor_due_ = true;
    found =
        pipes_.emplace(action.link, Pipe{std::move(socket), std::move(monitor), endpoint, user, {}})
            .first;
    process::log_info(
        text("worker on run ", hex(action.link.run), ", hello ", action.link.hello, ": welcome"));
  }
  const auto heartbeat =
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.config.heartbeat).count();
  router_.send_to(action.peer,
                  encode(protocol::Welcome{action.link.start, action.link.run, action.link.hello,
                                           core_.origin(), found->second.endpoint,
                                           static_cast<std::uint32_t>(heartbeat)}));
}

void Node::act(const ClosePipe& action) {
  const auto found = pipes_.find(action.link);
  if (found == pipes_.end()) return;
  poller_.remove(found->second.monitor.fd());
  pipes_.erase(found);
}

void Node::act(const SendHelloAgain& action) {
  router_.send_to(action.peer, encode(protocol::HelloAgain{action.run}));
}

void Node::act(const SendOrders& action) {
  router_.send_to(action.peer,
                  encode(protocol::Orders{action.link.start, action.link.run, action.link.hello,
                                          static_cast<std::uint8_t>(action.ask_beat ? 1 : 0),
                                          protocol::encode_orders(action.orders)}));
}

void Node::act(const SendTasks& action) {
  const auto found = pipes_.find(action.link);
  if (found == pipes_.end()) return;
  auto& pipe = found->second;
  const auto begin = [&](std::uint64_t first) {
    return protocol::Tasks{
        action.link.start, action.link.run, action.link.hello, core_.origin(), first, 0, {}};
  };
  auto tasks = begin(action.first_number);
  const auto close = [&] {
    if (tasks.count == 0) return;
    const auto next = tasks.first + tasks.count;
    pipe.backlog.push_back(encode(std::move(tasks)));
    has_backlog_ = !pipe.flush() || has_backlog_;
    tasks = begin(next);
  };
  for (auto run : action.runs)
    while (run.count > 0) {
      const auto specs = journal_.specs(run.seq, run.count);
      if (tasks.payload.size() + specs.bytes.size() > protocol::kPayloadBytesMax / 2) close();
      protocol::put_task_run(tasks.payload,
                             {run.seq, run.lease_number, run.attempt, specs.count, specs.bytes});
      tasks.count += specs.count;
      run.seq += specs.count;
      run.lease_number += specs.count;
      run.count -= specs.count;
    }
  close();
}

bool Node::Pipe::flush() {
  while (!backlog.empty() && socket.send(std::move(backlog.front()))) backlog.pop_front();
  return backlog.empty();
}

bool Node::flush_backlogs() {
  if (!std::exchange(has_backlog_, false)) return false;
  for (auto& [link, pipe] : pipes_) has_backlog_ = !pipe.flush() || has_backlog_;
  return has_backlog_;
}

void Node::act(const PushVerdict& action) {
  // Nothing is left of a task that damage took.
  const auto spec = journal_.has(action.seq) ? journal_.specs(action.seq, 1).bytes : "";
  verdicts_.send(encode(verdict_of(action, core_.origin(), spec, process::unix_ms())));
}

void Node::act(const SendIntroduce& action) {
  sink_.send(encode(protocol::Introduce{core_.start(), core_.origin(), core_.start(), nonce_,
                                        action.highest, core_.settled().encode()}));
}

void Node::act(const SendFollow& action) {
  sink_.send(
      encode(protocol::Follow{action.request, action.log, core_.origin(), nonce_, action.offset}));
}

void Node::act(const Stop& action) { stop_reason_ = action.reason; }

}  // namespace eole::ventilator
