#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cpp/session/asks.hpp"
#include "clients/cpp/session/reader.hpp"
#include "clients/cpp/session/submits.hpp"
#include "clients/cpp/session/transfers.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/base/within.hpp"
#include "common/kinds/offered.hpp"
#include "common/protocol/value.hpp"
#include "gateway/io/asio.hpp"

namespace eole::gateway {

/// The client's session in the gateway's loop: what Ring asks and submits goes through it, and the
/// log is read for all. One thread.
class Fabric {
 public:
  Fabric(net::Transport& world, const net::ClusterFile& cluster);
  ~Fabric();

  using Answer = Expected<protocol::Value>;
  using OnSubmitted = std::function<void(client::SubmitEnded)>;
  using IsGone = std::function<bool()>;

  /// Whoever waits for an end is told that there is none yet.
  void stop();

  /// Hears how far a running task is and what it prints, as long as this lives: a copy for people,
  /// of which parts may be lost.
  class Watch {
   public:
    using OnProgress = std::function<void(const protocol::Progress& progress)>;
    Watch(Fabric& fabric, TaskId id, OnProgress on_progress)
        : fabric_(fabric), place_(fabric.watches_.emplace(id, std::move(on_progress))) {}
    ~Watch() { fabric_.watches_.erase(place_); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Fabric& fabric_;
    std::multimap<TaskId, OnProgress>::iterator place_;
  };

  /// Every batch of the log from now on: where it begins (again, if the log is another one), and
  /// each batch, of which what lies before `from` is to be skipped.
  struct Tap {
    std::function<void(std::uint64_t head)> on_open;
    std::function<void(std::string_view batch, std::uint64_t from)> on_batch;
    /// The log is not read any more, since nobody wanted it: what is known of its end grows old.
    std::function<void()> on_close;
    std::function<bool()> is_wanted;
  };
  void tap(Tap tap) { tap_ = std::move(tap); }

  /// When each role answered last, in Unix ms; zero: not since this gateway began.
  struct Heard {
    std::int64_t ventilator = 0;
    std::int64_t sink = 0;
  };
  const Heard& heard() const { return heard_; }

  client::Session& session() { return session_; }
  client::Transfers& transfers() { return transfers_; }
  const net::ClusterFile& cluster() const { return cluster_; }
  net::Transport& world() { return world_; }

  /// Sends what was submitted since the last turn, takes what came. When the next one is due.
  std::optional<TimePoint> turn();

 private:
  friend class Ring;
  /// Tasks that are submitted together, and who hears of them.
  struct Waiting {
    Bytes groups;
    std::uint32_t count = 0;
    std::string key;
    std::string within;
    OnSubmitted tell;
    TimePoint since{};
    bool is_alone = false;  // It was refused with others, who may be to blame.
    bool may_join() const { return key.empty() && !is_alone; }
    bool may_join(const Waiting& first) const {
      return may_join() && first.may_join() && within == first.within;
    }
  };
  /// Somebody who waits for an end.
  struct Ending {
    Within within;
    protocol::Value view;
    std::function<void()> wake;
    bool is_to_ask = false;  // It may have been missed.
  };
  awaitable<Answer> ask(client::Asks& role, std::int64_t& heard, client::Question question,
                        Duration patience);
  awaitable<Answer> ask_ventilator(client::Question question, Duration patience) {
    return ask(ventilator_, heard_.ventilator, std::move(question), patience);
  }
  awaitable<Answer> ask_sink(client::Question question, Duration patience) {
    return ask(sink_, heard_.sink, std::move(question), patience);
  }
  void flush();
  void give_up();
  void send(std::vector<Waiting> those);
  void open_reader();
  void follow(TimePoint now);
  void tell_open();
  bool is_followed() const;
  void show(const protocol::Progress& progress);
  void end(const client::SubmitEnded& ended);
  void take(const client::TakeBatch& batch);

  net::Transport& world_;
  net::ClusterFile cluster_;
  client::Session session_;
  client::Asks ventilator_;
  client::Asks sink_;
  Heard heard_;
  client::Submits submits_;
  client::Transfers transfers_;
  std::unique_ptr<client::Reader> reader_;
  bool is_read_over_ = false;
  bool is_open_told_ = false;
  Tap tap_;
  std::deque<Waiting> gathered_;
  std::size_t gathered_bytes_ = 0;
  std::map<std::uint64_t, std::vector<Waiting>> sent_;  // By their request's number.
  std::multimap<TaskId, Ending*> endings_;
  std::multimap<TaskId, Watch::OnProgress> watches_;
  bool is_watching_ = false;  // The reader hears of progress.
  bool is_stopping_ = false;
  TimePoint reopen_at_{};
  TimePoint offered_asked_{};
  std::shared_ptr<const kinds::OfferedKinds> offered_;  // Null: nothing is known.
  TimePoint wanted_at_{};  // When somebody last wanted to hear of ends.
};

}  // namespace eole::gateway
