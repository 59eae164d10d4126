#include "common/role/log_sender.hpp"

#include <utility>

#include "common/process/log.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/log_lines.hpp"
#include "common/protocol/messages.hpp"

namespace eole::role {

namespace {
constexpr Duration kSendEvery = 100ms;         // Lines that come together travel together.
constexpr std::size_t kTakenBytes = 32 << 10;  // For a message; headers fit beside them.
constexpr int kLogMessagesMax = 8;             // While the sink is away.
}  // namespace

LogSender::LogSender(net::Transport& transport, const net::ClusterFile& cluster)
    : transport_(transport), sink_(transport.open(net::SocketType::kPush)) {
  sink_.limit_queue(kLogMessagesMax);
  sink_.connect(cluster.results);
}

std::optional<TimePoint> LogSender::send() {
  if (!process::has_log_lines()) return std::nullopt;
  const auto now = transport_.now();
  if (now < next_) return next_;
  next_ = now + kSendEvery;
  if (!sink_.has_room(kTakenBytes)) return next_;
  auto taken = process::take_log_lines(kTakenBytes);
  const auto& [role, name] = process::log_name();
  protocol::LogLines message{role, name, dropped_ + taken.dropped, {}};
  for (const auto& line : taken.lines) protocol::put_log_line(message.payload, line);
  dropped_ = 0;
  if (!sink_.send(encode(std::move(message)))) dropped_ += taken.lines.size() + taken.dropped;
  return process::has_log_lines() ? std::optional(next_) : std::nullopt;
}

}  // namespace eole::role
