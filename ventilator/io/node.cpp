#include "ventilator/io/node.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/base/counted.hpp"
#include "common/base/own_files.hpp"
#include "common/base/text.hpp"
#include "common/net/bounds.hpp"
#include "common/process/log.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/news.hpp"
#include "ventilator/io/verdict.hpp"

namespace eole::ventilator {

using protocol::encode;

namespace {

constexpr int kMessagesPerTurn = 512;
constexpr std::size_t kTurnBytesMax = 8 << 20;  // Workers wait for tasks while more is committed.
constexpr std::size_t kTasksBytes = 1 << 20;    // Of one message; a single task may be larger.
constexpr Duration kSleepMax = 1s;
constexpr Duration kKeyCheck = 1s;
constexpr std::int64_t kClockReadingMs = 2;
constexpr Duration kBacklogRetry = 1ms;  // A pipe that was just opened takes moments to stand.

}  // namespace

Node::Node(NodeOptions options, net::Transport& transport, net::Authority& authority,
           storage::Directory& directory)
    : options_(std::move(options)),
      transport_(transport),
      authority_(authority),
      journal_(directory, options_.store, options_.boot_id),
      peers_(transport.open(net::SocketType::kRouter)),
      sink_(transport.open(net::SocketType::kDealer)),
      verdicts_(transport.open(net::SocketType::kPush)),
      news_(transport.open(net::SocketType::kSub)),
      from_peers_("a ventilator", &authority_,
                  [this](const net::Sender& to, protocol::Refused refused) {
                    peers_.send_to(to.peer, encode(std::move(refused)));
                  }),
      from_sink_("a ventilator", nullptr, [](const net::Sender&, const protocol::Refused&) {}),
      nonce_(transport.random()),
      now_(transport.now()),
      core_(options_.config, journal_.take_recovered(), read_clock()) {
  take_messages();
  sink_.connect(options_.cluster.queries);
  verdicts_.connect(options_.cluster.results);
  news_.subscribe("settled." + origin_text(core_.origin()));
  news_.subscribe("head");
  news_.connect(options_.cluster.notifications);
  peers_.limit_unread(net::kUnreadSubmitsMax);
  peers_.bind(options_.cluster.ventilator);
  for (auto* socket : {&peers_, &sink_, &news_}) transport_.watch(socket->fd(), socket->due());
  process::log_info(text("origin ", origin_text(core_.origin()), ", start ", core_.start(), ", ",
                         counted(core_.queued(), "task"), " queued, listening on ",
                         options_.cluster.ventilator));
}

// Both are read in whole milliseconds, so that the difference is one more or less each time.
Moment Node::read_clock() {
  const auto now_ms = now_.time_since_epoch() / 1ms;
  const auto ahead = transport_.unix_ms() - now_ms;
  if (std::abs(ahead - unix_ahead_ms_) > kClockReadingMs) unix_ahead_ms_ = ahead;
  return {now_, now_ms + unix_ahead_ms_, journal_.is_full(), has_listeners_};
}

TimePoint Node::turn() {
  now_ = transport_.now();
  core_.read_clock(read_clock());
  drain(peers_, from_peers_);
  for (auto* socket : {&sink_, &news_}) drain(*socket, from_sink_);
  drain_monitors();
  cut_off_revoked();
  core_.on_deadline(now_, actions_);
  perform();
  const bool has_backlog = flush_backlogs();
  if (peers_.due() || sink_.due() || news_.due() || journal_.is_busy()) return now_;
  if (has_backlog) return now_ + kBacklogRetry;
  return std::min(now_ + kSleepMax, core_.next_deadline().value_or(TimePoint::max()));
}

void Node::drain(net::Socket& socket, const net::Router& messages) {
  std::size_t bytes = 0;
  for (int count = 0; count < kMessagesPerTurn && bytes < kTurnBytesMax && socket.due(); ++count)
    if (auto received = socket.receive()) {
      bytes += received->message.payload.size();
      messages.route(std::move(*received));
    }
}

void Node::drain_monitors() {
  if (!std::exchange(is_monitor_due_, false)) return;
  for (auto& [link, pipe] : pipes_)
    while (const auto event = pipe.monitor.next()) {
      if (*event != net::ConnectionEvent::kDown) continue;
      process::log_warning(text("worker ", pipe.name, ": its connection ended"));
      tell_core(PipeEnded{link});
    }
}

// A pipe asks for the key once, when its worker connects.
void Node::cut_off_revoked() {
  if (now_ < next_key_check_) return;
  next_key_check_ = now_ + kKeyCheck;
  look_at_disk();
  const auto seen = authority_.revocations();
  if (std::exchange(revocations_, seen) == seen) return;
  std::vector<Link> revoked;
  for (const auto& [link, pipe] : pipes_)
    if (!authority_.allows(pipe.user, net::Role::kWork)) revoked.push_back(link);
  for (const auto& link : revoked) {
    process::log_warning(text("worker ", pipes_.at(link).name, ": its key was taken away"));
    act(ClosePipe{link});
    tell_core(PipeEnded{link});
  }
}

void Node::look_at_disk() {
  if (!has_listeners_) return;
  if (const auto news = disk_.look("ventilator", journal_.free_bytes(), now_, transport_.unix_ms()))
    for (auto& message : protocol::encode_news("ventilator", {*news}))
      verdicts_.send(encode(std::move(message)));
}

// ---- Acting.

void Node::perform() {
  if (actions_.empty() && !journal_.is_busy()) return;
  const auto begun = transport_.now();
  const auto syncs = journal_.syncs();
  journal_.write(actions_, [this](SavePlace& place) { return core_.save(place); });
  const auto took = transport_.now() - begun;
  process::warn_of_slow_disk(took);
  if (journal_.syncs() != syncs)
    commits_.add(std::chrono::duration_cast<std::chrono::microseconds>(took));
  for (const auto& action : actions_)
    std::visit([&](const auto& concrete) { act(concrete); }, action);
  for (auto& [peer, acceptances] : accepted_)  // What one sync covered is one answer.
    peers_.send_to(peer, encode(protocol::Accepted{core_.origin(), std::move(acceptances)}));
  accepted_.clear();
  for (auto& message : protocol::encode_news("ventilator", std::exchange(told_, {})))
    verdicts_.send(encode(std::move(message)));
  actions_.clear();
  users_.clear();
  journal_.collect(core_.settled());
}

void Node::act(const Reply& action) {
  const auto send = [&](const auto& message) { peers_.send_to(action.peer, encode(message)); };
  if (const auto* acceptance = std::get_if<protocol::Acceptance>(&action.message)) {
    protocol::put_acceptance(accepted_[action.peer], *acceptance);
  } else if (const auto* refused = std::get_if<protocol::Refused>(&action.message)) {
    send(*refused);
  } else {
    send(std::get<protocol::Answer>(action.message));
  }
}

// Descriptors or ports may have run out. Without a welcome a worker grants no credit, and says
// hello again.
Node::Pipe* Node::pipe_of(const WelcomeWorker& action) {
  const auto known = pipes_.find(action.link);
  if (known != pipes_.end()) return &known->second;
  const auto run = hex(action.link.run);
  const auto& [user, name] = users_[action.peer];
  auto endpoint = options_.cluster.pipes;
  if (!options_.cluster.is_encrypted())
    endpoint += text("/p", run.substr(0, 8), "-", action.link.hello);
  try {
    const OwnFiles own;
    auto socket = transport_.open(net::SocketType::kPush);
    net::Monitor monitor(socket);
    endpoint = socket.bind(endpoint, user);
    transport_.watch(monitor.fd(), is_monitor_due_);
    is_monitor_due_ = true;
    Pipe pipe{std::move(socket), std::move(monitor), endpoint, user, name};
    auto& added = pipes_.emplace(action.link, std::move(pipe)).first->second;
    process::log_info(
        text("worker ", name, " on run ", run, ", hello ", action.link.hello, ": welcome"));
    return &added;
  } catch (const std::exception& error) {
    const auto why = text("worker on run ", run, " has to wait: ", error.what());
    process::log_error(why);
    peers_.send_to(action.peer, encode(protocol::Refused{0, why}));
    return nullptr;
  }
}

void Node::act(const WelcomeWorker& action) {
  const auto* pipe = pipe_of(action);
  if (pipe == nullptr) return;
  const auto heartbeat =
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.config.heartbeat).count();
  peers_.send_to(action.peer,
                 encode(protocol::Welcome{action.link.start, action.link.run, action.link.hello,
                                          core_.origin(), pipe->endpoint,
                                          static_cast<std::uint32_t>(heartbeat)}));
}

void Node::act(const ClosePipe& action) {
  const auto found = pipes_.find(action.link);
  if (found == pipes_.end()) return;
  transport_.unwatch(found->second.monitor.fd());
  pipes_.erase(found);
}

void Node::act(const SendHelloAgain& action) {
  peers_.send_to(action.peer, encode(protocol::HelloAgain{action.run}));
}

void Node::act(const SendOrders& action) {
  peers_.send_to(action.peer,
                 encode(protocol::Orders{action.link.start, action.link.run, action.link.hello,
                                         static_cast<std::uint8_t>(action.ask_beat ? 1 : 0),
                                         protocol::encode_orders(action.orders)}));
}

void Node::act(const SendTasks& action) {
  const auto found = pipes_.find(action.link);
  if (found == pipes_.end()) return;
  found->second.backlog.push_back(action);
  has_backlog_ = !flush(found->second) || found->second.is_over || has_backlog_;
}

protocol::Tasks Node::next_message(const SendTasks& waiting) {
  const auto& [start, run, hello] = waiting.link;
  protocol::Tasks tasks{start, run, hello, core_.origin(), waiting.first_number, 0, {}};
  sending_.clear();
  Bytes task_class;        // Of the run that the message ends with …
  std::int64_t submitted = 0;
  std::size_t run_at = 0;  // … and where that begins.
  for (auto leased : waiting.runs)
    for (bool is_first = true; leased.count > 0; is_first = false) {
      auto specs = journal_.specs(leased.seq, leased.count);
      if (specs.count == 0) return tasks;
      if (const auto bytes = specs.bytes.size(); bytes > kTasksBytes && specs.count > 1) {
        const auto fit = std::max<std::uint64_t>(1, specs.count * kTasksBytes / bytes);
        specs = journal_.specs(leased.seq, static_cast<std::uint32_t>(fit));
      }
      if (tasks.count > 0 && tasks.payload.size() + specs.bytes.size() > kTasksBytes) return tasks;
      const bool goes_on = !is_first && tasks.count > 0 && specs.task_class == task_class &&
                           specs.submitted_unix_ms == submitted;
      if (goes_on) {
        protocol::extend_task_run(tasks.payload, run_at, specs.count, specs.bytes);
      } else {
        task_class = specs.task_class;
        submitted = specs.submitted_unix_ms;
        run_at = tasks.payload.size();
        protocol::put_task_run(tasks.payload,
                               {leased.seq, leased.lease_number, leased.attempt, specs.count,
                                specs.task_class, specs.bytes, submitted, leased.lost});
      }
      tasks.count += specs.count;
      if (leased.attempt == 1) note_wait(specs.task_class, specs.submitted_unix_ms, specs.count);
      leased.drop(specs.count);
    }
  return tasks;
}

void Node::note_wait(std::string_view task_class, std::int64_t submitted_unix_ms,
                     std::uint32_t count) {
  if (last_waits_ == nullptr || last_class_ != task_class) {
    const auto known = protocol::decode_class(task_class);
    last_waits_ = &waits_.of(known ? known->kind : "");
    last_class_ = task_class;
  }
  const auto now = now_.time_since_epoch() / 1ms + unix_ahead_ms_;
  sending_.push_back({last_waits_, now - submitted_unix_ms, count});
}

bool Node::flush(Pipe& pipe) {
  while (!pipe.backlog.empty()) {
    auto& waiting = pipe.backlog.front();
    if (pipe.is_full && !pipe.socket.has_room(kTasksBytes)) return false;
    auto tasks = next_message(waiting);
    auto left = tasks.count;
    if (pipe.is_over = left == 0; pipe.is_over) return true;
    pipe.is_full = !pipe.socket.send(encode(std::move(tasks)));
    if (pipe.is_full) return false;
    for (const auto& [of, milliseconds, count] : sending_)
      of->add(std::chrono::milliseconds(milliseconds), count);
    waiting.first_number += left;
    auto& runs = waiting.runs;
    const auto rest = std::find_if(runs.begin(), runs.end(), [&](const LeaseRun& run) {
      if (run.count > left) return true;
      left -= run.count;
      return false;
    });
    if (rest != runs.end()) rest->drop(left);
    runs.erase(runs.begin(), rest);
    if (runs.empty()) pipe.backlog.pop_front();
  }
  return true;
}

// A pipe's tasks are numbered: one that was settled while it waited here cannot be left out, so
// its worker needs a new link (rule V2).
bool Node::flush_backlogs() {
  if (!std::exchange(has_backlog_, false)) return false;
  std::vector<Link> over;
  for (auto& [link, pipe] : pipes_) {
    has_backlog_ = !flush(pipe) || has_backlog_;
    if (pipe.is_over) over.push_back(link);
  }
  for (const auto& link : over) {
    act(ClosePipe{link});
    tell_core(PipeEnded{link});
  }
  return has_backlog_ || !over.empty();
}

void Node::act(const PushVerdict& action) {
  const auto task = journal_.specs(action.seq, 1);  // Empty of one that damage took.
  verdicts_.send(
      encode(verdict_of(action, core_.origin(), core_.start(), task, transport_.unix_ms())));
}

void Node::act(const SendIntroduce& action) {
  auto pages = protocol::encode_pages(core_.settled(), {});
  for (std::uint32_t page = 0; page < pages.size(); ++page)
    sink_.send(encode(protocol::Introduce{
        core_.start(), core_.origin(), core_.start(), nonce_, action.highest, page,
        static_cast<std::uint32_t>(pages.size()), std::move(pages[page])}));
}

void Node::act(const SendAnnounce& action) {
  verdicts_.send(encode(protocol::Announce{core_.origin(), nonce_, action.highest, action.read}));
}

void Node::act(const SendFollow& action) {
  sink_.send(
      encode(protocol::Follow{action.request, action.log, core_.origin(), nonce_, action.offset}));
}

void Node::act(const TellNews& action) {
  auto& item = told_.emplace_back(action.item);
  item.unix_ms = transport_.unix_ms();
  if (action.seq != 0) item.name = to_text(TaskId{core_.origin(), action.seq});
}

void Node::act(const Stop& action) {
  process::log_error(action.reason);
  exit_code_ = 3;
}

}  // namespace eole::ventilator
