#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "clients/cpp/blocking/requests.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

/// Reads the sink's log without a gap: live from its publications, from the log itself wherever
/// one was missed. Each record is seen once and in order.
class LogReader {
 public:
  /// `from`: the first offset wanted; nothing: only what comes from now on.
  static Expected<std::unique_ptr<LogReader>> open(net::Context& context,
                                                   const net::ClusterFile& cluster,
                                                   std::optional<std::uint64_t> from);

  /// The next batch, waiting for it up to `patience`; nothing if none came. Records before
  /// from() are to be skipped. Errors: the log was replaced, or the sink does not answer.
  Expected<std::optional<Bytes>> next(Duration patience);
  /// The offset of the next record that was not handed out.
  std::uint64_t offset() const { return offset_; }
  std::uint64_t from() const { return from_; }
  /// Also hear the progress of tasks; the messages come out of next_progress().
  void watch_progress();
  std::optional<protocol::Progress> next_progress();

 private:
  LogReader(net::Context& context, const net::ClusterFile& cluster);
  Expected<void> catch_up();
  void take(net::Received received);

  Requests sink_;
  net::Socket news_;
  std::uint64_t log_ = 0;
  std::uint64_t from_ = 0;
  std::uint64_t offset_ = 0;
  std::uint32_t crc_ = 0;
  std::uint64_t head_ = 0;
  std::deque<Bytes> batches_;
  std::deque<protocol::Progress> progress_;
};

}  // namespace eole::client
