#include "clients/cpp/blocking/log_reader.hpp"

#include <algorithm>
#include <utility>

#include "clients/cpp/core/silence.hpp"
#include "common/process/system.hpp"

namespace eole::client {

namespace {
constexpr Duration kOpenPatience = 10s;
constexpr std::size_t kProgressMax = 1024;
}  // namespace

LogReader::LogReader(net::Context& context, const net::ClusterFile& cluster,
                     std::optional<std::uint64_t> from, std::optional<TopicPattern> pattern)
    : waiting_(context),
      reader_(waiting_.session(), cluster, from ? std::optional(Cursor{0, *from, 0}) : std::nullopt,
              callbacks(), std::move(pattern)) {}

ReaderCallbacks LogReader::callbacks() {
  return {[this](TakeBatch batch) { batches_.push_back(std::move(batch.batch)); },
          [this](const Error& error, bool is_over) {
            trouble_ = error;
            is_over_ = is_over;
          },
          [this](const Error& error, std::uint64_t kept_from) {
            trouble_ = error;
            is_over_ = true;
            kept_from_ = kept_from;
          },
          [this](protocol::Progress progress) {
            if (progress_.size() < kProgressMax) progress_.push_back(std::move(progress));
          }};
}

Expected<void> LogReader::wait_until_open() {
  const auto until = process::now() + kOpenPatience;
  while (!reader_.is_open() && !trouble_) {
    const auto now = process::now();
    if (now >= until) return silence_of("the sink", kOpenPatience);
    waiting_.wait(until - now);
  }
  if (!reader_.is_open()) return *trouble_;
  return {};
}

Expected<std::unique_ptr<LogReader>> LogReader::open(net::Context& context,
                                                     const net::ClusterFile& cluster,
                                                     std::optional<std::uint64_t> from,
                                                     std::optional<TopicPattern> pattern) {
  std::unique_ptr<LogReader> log(new LogReader(context, cluster, from, std::move(pattern)));
  if (const auto opened = log->wait_until_open(); !opened) return opened.error();
  return log;
}

Expected<std::unique_ptr<LogReader>> LogReader::open_kept(
    net::Context& context, const net::ClusterFile& cluster, std::uint64_t from,
    const std::function<void(const Error&)>& on_gone) {
  while (true) {
    std::unique_ptr<LogReader> log(new LogReader(context, cluster, from));
    const auto opened = log->wait_until_open();
    if (opened) return log;
    if (log->kept_from_ <= from) return opened.error();
    on_gone(opened.error());
    from = log->kept_from_;
  }
}

std::optional<protocol::Progress> LogReader::next_progress() {
  if (progress_.empty()) return std::nullopt;
  auto progress = std::move(progress_.front());
  progress_.pop_front();
  return progress;
}

Expected<std::optional<Bytes>> LogReader::next(Duration patience) {
  if (taken_ > 0) reader_.taken(std::exchange(taken_, 0));
  const auto until = process::now() + patience;
  while (batches_.empty()) {
    if (trouble_) {
      const auto error = *trouble_;
      if (!is_over_) trouble_.reset();  // It may answer again.
      return error;
    }
    const auto now = process::now();
    if (now >= until || !progress_.empty()) return std::optional<Bytes>{};
    waiting_.wait(until - now);
  }
  auto batch = std::move(batches_.front());
  batches_.pop_front();
  taken_ = batch.size();
  return std::optional(std::move(batch));
}

}  // namespace eole::client
