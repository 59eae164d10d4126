#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/topics.hpp"
#include "gateway/core/recent.hpp"
#include "gateway/io/exchange.hpp"
#include "gateway/io/ring.hpp"

namespace eole::gateway {

/// The log as everybody who listens hears it: one reader, each event made once, and every few
/// seconds a summary of what runs.
class Feed {
 public:
  explicit Feed(Fabric& fabric);
  Fabric& fabric() { return fabric_; }
  const Recent& recent() const { return recent_; }
  /// How often the log became another one.
  std::uint64_t logs() const { return logs_; }
  /// Of what runs within; it was made `number` times.
  struct Summary {
    std::string json;
    std::uint64_t number = 0;
  };
  const Summary& summary(const Within& within) { return summaries_[within.prefix()]; }
  /// Hears every event, too.
  std::function<void(const Event&)> on_event;

  /// Who listens is woken when there is something new.
  using Wake = std::function<void()>;
  void add(const Wake* wake, const Within& within) { listening_.emplace(wake, within); }
  void remove(const Wake* wake) { listening_.erase(wake); }

  /// Whoever hears, or is about to: as long as there is one, the log is read.
  class Hearing {
   public:
    explicit Hearing(Feed& feed) : feed_(feed) { ++feed_.hearing_; }
    ~Hearing() { --feed_.hearing_; }
    Hearing(const Hearing&) = delete;
    Hearing& operator=(const Hearing&) = delete;

   private:
    Feed& feed_;
  };
  std::size_t hearing() const { return hearing_; }
  /// What comes from now on is heard; or the sink is away, and it comes later.
  awaitable<void> until_started();
  /// Makes summaries while somebody listens; for ever.
  awaitable<void> summarize();
  /// Wakes those who listen; for ever.
  awaitable<void> wake_listeners();
  /// What who stands at `from` is told of what is recent.
  const Piece& piece(std::uint64_t from, const Interest& interest, Format format) {
    return recent_.piece(from, interest, format);
  }

 private:
  void tell(const std::string& prefix, const Ring::Answer& status);
  void on_open(std::uint64_t head);
  void on_batch(std::string_view batch, std::uint64_t from);
  void wake_all();

  Fabric& fabric_;
  Recent recent_;
  std::uint64_t logs_ = 0;
  std::map<std::string, Summary> summaries_;  // By prefix, of those who listen.
  std::map<const Wake*, Within> listening_;
  bool has_news_ = false;
  Wake on_news_;
  std::size_t hearing_ = 0;
};

/// One who follows the log from an offset on, at its own pace: nothing waits for it in memory.
/// While it keeps up it is served from what is recent; behind that it is told so, and reads the
/// log. Of other projects than those within it hears nothing.
class Follower {
 public:
  /// `from`: nothing: only what comes from now on.
  Follower(Feed& feed, Ring ring, Format format, TopicPattern pattern,
           std::optional<std::uint64_t> from, Feed::Wake wake);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// What is to be sent next; null: nothing is, until it is woken.
  awaitable<Shared> next();
  void filter(TopicPattern pattern) { interest_.pattern = std::move(pattern); }
  /// How far a task is; nothing if what was said before has not gone yet.
  void show(const protocol::Progress& progress);
  /// What it said makes no sense; the same holds.
  void refuse(const std::string& why);

 private:
  void say(std::string_view type, const protocol::Value& said);  // What is no event of the log.
  void summarize(const std::string& summary);
  void begin();
  awaitable<void> read();
  awaitable<void> check();

  Feed& feed_;
  Ring ring_;
  Format format_;
  Interest interest_;
  std::optional<std::uint64_t> at_;
  Feed::Wake wake_;
  std::uint64_t logs_;
  std::uint64_t summaries_ = 0;
  bool keeps_up_ = false;
  bool is_checked_ = false;  // Where it begins, if that is beyond what is known here.
  std::string out_;
};

}  // namespace eole::gateway
