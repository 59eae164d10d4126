#include "clients/cpp/blocking/log_reader.hpp"

#include "common/base/crc32c.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::client {

namespace {
constexpr std::uint32_t kReadBytes = 1 << 20;
constexpr std::size_t kProgressMax = 1024;
}  // namespace

LogReader::LogReader(net::Context& context, const net::ClusterFile& cluster)
    : sink_(context, cluster.queries, "the sink"), news_(context, net::SocketType::kSub) {
  news_.subscribe("result.");
  news_.subscribe("head");
  news_.connect(cluster.notifications);
}

Expected<std::unique_ptr<LogReader>> LogReader::open(net::Context& context,
                                                     const net::ClusterFile& cluster,
                                                     std::optional<std::uint64_t> from) {
  std::unique_ptr<LogReader> reader(new LogReader(context, cluster));
  auto start = from.value_or(0);
  if (!from) {
    const auto status = reader->sink_.query("status");
    if (!status) return status.error();
    start = static_cast<std::uint64_t>((*status)["head"].int_or(0));
  }
  const auto first = reader->sink_.ask<protocol::Records>(protocol::Read{0, 0, start, 0, 1});
  if (!first) return first.error();
  reader->log_ = first->log;
  reader->from_ = reader->offset_ = start;
  reader->head_ = first->head;
  return reader;
}

void LogReader::watch_progress() { news_.subscribe("progress."); }

std::optional<protocol::Progress> LogReader::next_progress() {
  if (progress_.empty()) return std::nullopt;
  auto progress = std::move(progress_.front());
  progress_.pop_front();
  return progress;
}

void LogReader::take(net::Received received) {
  const auto head = protocol::HeadReader::parse(received.message.head);
  if (!head) return;
  if (head->name() == protocol::Notification::kName) {
    auto news =
        protocol::decode<protocol::Notification>(*head, std::move(received.message.payload));
    if (!news || news->log != log_) return;
    const auto batch = protocol::read_batch(news->payload);
    if (!batch) return;
    head_ = std::max(head_, batch->first_offset + batch->count);
    if (batch->first_offset != offset_) return;  // Seen already, or a gap: the log has it.
    offset_ += batch->count;
    crc_ = crc32c(news->payload);
    batches_.push_back(std::move(news->payload));
  } else if (head->name() == protocol::LogHead::kName) {
    const auto log = protocol::decode<protocol::LogHead>(*head, {});
    if (log) head_ = log->log == log_ ? std::max(head_, log->head) : UINT64_MAX;
  } else if (head->name() == protocol::Progress::kName) {
    auto progress =
        protocol::decode<protocol::Progress>(*head, std::move(received.message.payload));
    if (progress && progress_.size() < kProgressMax) progress_.push_back(std::move(*progress));
  }
}

// Reads from the log itself what no publication brought. A replaced log is refused by name.
Expected<void> LogReader::catch_up() {
  const auto records =
      sink_.ask<protocol::Records>(protocol::Read{0, log_, offset_, crc_, kReadBytes}, 30s);
  if (!records) return records.error();
  ByteReader reader(records->payload);
  while (!reader.is_done()) {
    const auto batch = reader.take(reader.get<std::uint32_t>());
    if (!reader.ok()) return Error{"the sink sent a malformed piece of its log"};
    batches_.emplace_back(batch);
  }
  offset_ = records->next;
  crc_ = records->crc;
  head_ = records->head;
  return {};
}

Expected<std::optional<Bytes>> LogReader::next(Duration patience) {
  const auto until = process::now() + patience;
  while (batches_.empty()) {
    while (auto received = news_.receive()) take(std::move(*received));
    if (!batches_.empty()) break;
    if (head_ > offset_) {
      if (auto read = catch_up(); !read) return read.error();
      continue;
    }
    const auto now = process::now();
    if (now >= until || !progress_.empty()) return std::optional<Bytes>{};
    news_.wait(static_cast<int>((until - now) / 1ms) + 1);
  }
  auto batch = std::move(batches_.front());
  batches_.pop_front();
  return std::optional(std::move(batch));
}

}  // namespace eole::client
