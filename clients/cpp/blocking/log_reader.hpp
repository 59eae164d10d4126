#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "clients/cpp/blocking/waiting.hpp"
#include "clients/cpp/session/reader.hpp"

namespace eole::client {

/// Reads the sink's log without a gap, and waits for what comes: each record is seen once and in
/// order. One thread.
class LogReader {
 public:
  /// `from`: the first offset wanted; nothing: only what comes from now on. `pattern`: of topics;
  /// nothing: all.
  static Expected<std::unique_ptr<LogReader>> open(net::Context& context,
                                                   const net::ClusterFile& cluster,
                                                   std::optional<std::uint64_t> from,
                                                   std::optional<TopicPattern> pattern = {});
  /// The same; if what lies there is not kept any more, `on_gone` is told, and it goes on at the
  /// oldest that is.
  static Expected<std::unique_ptr<LogReader>> open_kept(
      net::Context& context, const net::ClusterFile& cluster, std::uint64_t from,
      const std::function<void(const Error&)>& on_gone);

  /// The next batch, waiting for it up to `patience`; nothing if none came, or progress did.
  /// Records before from() are to be skipped. Errors: the log was replaced, or the sink does not
  /// answer.
  Expected<std::optional<Bytes>> next(Duration patience);
  std::uint64_t from() const { return reader_.from(); }
  /// Set once next() failed because what comes next is no longer kept: the oldest that is.
  std::optional<std::uint64_t> gone_to() const {
    return kept_from_ > 0 ? std::optional(kept_from_) : std::nullopt;
  }
  /// Also hear the progress of tasks; the messages come out of next_progress().
  void watch_progress() { reader_.watch_progress(); }
  std::optional<protocol::Progress> next_progress();

 private:
  LogReader(net::Context& context, const net::ClusterFile& cluster,
            std::optional<std::uint64_t> from, std::optional<TopicPattern> pattern = {});
  ReaderCallbacks callbacks();
  Expected<void> wait_until_open();

  std::deque<Bytes> batches_;
  std::size_t taken_ = 0;  // Bytes of the batch handed out last.
  std::deque<protocol::Progress> progress_;
  std::optional<Error> trouble_;
  std::uint64_t kept_from_ = 0;
  bool is_over_ = false;
  Waiting waiting_;
  Reader reader_;
};

}  // namespace eole::client
