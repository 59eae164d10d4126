#include "clients/cpp/blocking/submitter.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::client {

namespace {
constexpr Duration kRepeat = 2s;
constexpr std::size_t kMessageBytes = 1 << 20;
constexpr std::size_t kFlyingBytes = 64 << 20;  // Kept for a repeat, until they are answered.
}  // namespace

Submitter::Submitter(net::Context& context, const net::ClusterFile& cluster, Options options,
                     OnAccepted on_accepted)
    : options_(std::move(options)),
      on_accepted_(std::move(on_accepted)),
      socket_(context, net::SocketType::kDealer),
      monitor_(socket_),
      run_(process::random_u64()) {
  if (!options_.key.empty()) options_.batch = protocol::kTasksPerMessageMax;
  socket_.connect(cluster.ventilator);
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
  if (open_.count == 0) return {};
  if (auto room = collect(window_.messages() - 1, kFlyingBytes); !room) return room;
  open_.run = run_;
  open_.request = next_request_++;
  open_.confirmed = flights_.empty() ? open_.request - 1 : flights_.front().request - 1;
  open_.key = options_.key;
  open_.attempts_max = options_.attempts_max;
  last_bytes_ = open_.payload.size();
  flying_bytes_ += last_bytes_;
  const auto request = open_.request;
  auto message = protocol::encode(std::exchange(open_, {}));
  flights_.push_back({request,
                      std::move(message.head),
                      std::make_shared<const Bytes>(std::move(message.payload)),
                      process::now(),
                      false,
                      {}});
  socket_.send(flights_.back().head, flights_.back().payload);
  return {};
}

// Waits until no more are unanswered.
Expected<void> Submitter::collect(std::size_t messages_max, std::size_t bytes_max) {
  auto give_up = process::now() + options_.patience;
  while (flights_.size() > messages_max || flying_bytes_ > bytes_max) {
    bool has_received = false;
    while (auto received = socket_.receive()) {
      has_received = true;
      if (auto taken = take(std::move(*received)); !taken) return taken;
    }
    const auto now = process::now();
    if (has_received) {
      give_up = now + options_.patience;
      continue;
    }
    if (socket_.wait(100)) continue;
    if (now >= give_up)
      return Error{text("no answer from the ventilator within ", options_.patience / 1s,
                        " s: whether the last tasks were accepted is not known"),
                   true};
    const auto is_anew = has_reconnected();
    for (auto& flight : flights_) {
      if (flight.is_accepted || (now < flight.sent + kRepeat && !is_anew)) continue;
      flight.sent = now;
      socket_.send(flight.head, flight.payload);
    }
  }
  return {};
}

// What was on its way when the connection broke may be lost.
bool Submitter::has_reconnected() {
  bool has = false;
  while (const auto event = monitor_.next()) {
    if (*event == net::ConnectionEvent::kDown) is_broken_ = true;
    if (*event == net::ConnectionEvent::kUp) has = std::exchange(is_broken_, false) || has;
  }
  return has;
}

Expected<void> Submitter::take(net::Received received) {
  auto head = protocol::HeadReader::parse(received.message.head);
  if (!head) return {};
  if (head->name() == protocol::Refused::kName) {
    const auto refused = protocol::decode<protocol::Refused>(*head, {});
    if (refused) return Error{text("the ventilator: ", refused->reason)};
  }
  if (head->name() != protocol::Accepted::kName) return {};
  const auto accepted =
      protocol::decode<protocol::Accepted>(*head, std::move(received.message.payload));
  if (!accepted) return {};
  ByteReader reader(accepted->payload);
  while (const auto acceptance = protocol::read_acceptance(reader)) {
    // The requests under way have numbers that follow one another.
    if (flights_.empty() || acceptance->request < flights_.front().request) continue;
    const auto at = acceptance->request - flights_.front().request;
    if (at >= flights_.size()) continue;
    flights_[at].is_accepted = true;
    flights_[at].accepted = *acceptance;
  }
  const auto now = process::now();
  while (!flights_.empty() && flights_.front().is_accepted) {
    const auto& first = flights_.front().accepted;
    on_accepted_(accepted->origin, first.first, first.count);
    window_.on_answer(first.count, now);
    flying_bytes_ -= flights_.front().payload->size();
    flights_.pop_front();
  }
  return {};
}

Expected<void> Submitter::finish() {
  if (auto sent = send(); !sent) return sent;
  return collect(0, 0);
}

}  // namespace eole::client
