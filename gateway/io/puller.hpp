#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clients/cpp/session/session.hpp"
#include "gateway/core/pull/leases.hpp"
#include "gateway/io/fabric.hpp"
#include "worker/io/node.hpp"

namespace eole::gateway {

/// Tasks that are pulled: of a kind, and if a project is named of that one alone.
struct Pulled {
  std::string kind;
  std::string project = {};
  auto operator<=>(const Pulled&) const = default;
};

/// The gateway as a worker of one kind, whose tasks are run by who pulls them: the worker's own
/// core and node, with leases where slots are. It asks the ventilator only for what somebody waits
/// for. Any task may say any kind: one of another project fails here, nobody is given it.
class Puller final : public worker::TaskRunner, private client::Part {
 public:
  Puller(Fabric& fabric, Pulled pulled, std::uint32_t pid);
  ~Puller() override;

  /// Up to `most` tasks, each leased for `lease`, as soon as there is one; none after `wait`.
  /// Who `is_gone` meanwhile gets none (empty: it stays). Throws http::Problem 429 if too many are
  /// leased and waited for.
  using IsGone = std::function<bool()>;
  awaitable<std::vector<Leased>> lease(std::uint32_t most, Duration lease, Duration wait,
                                       IsGone is_gone);
  const Leases& leases() const { return leases_; }
  const Leased* renew(std::string_view lease, Duration time);
  /// How a task ended, says its holder.
  struct Outcome {
    bool is_done = true;
    bool is_lost = false;  // Tried again, whatever the task asked for.
    protocol::Value body = protocol::Value::Map{};
    bool is_unbegun = false;  // Nobody has had it: that was no attempt.
  };
  /// Its holder never heard of it: it waits for the next one who asks.
  void give_back(std::string_view lease);
  /// False: the lease is nobody's any more.
  bool end(std::string_view lease, Outcome outcome);
  bool show(std::string_view lease, protocol::Progress progress);
  /// Nobody has waited or had anything since then.
  bool is_idle_since(TimePoint since) const { return leases_.is_empty() && used_ < since; }
  /// Gives back what waits, and is gone once the sink has all that was done here.
  void leave();
  bool is_gone() const { return node_->exit_code().has_value(); }

  // The worker's node asks:
  void start(const worker::StartTask& task) override;
  void kill(const TaskId& id, bool is_timeout) override;
  worker::BatchFinished run_batch(std::shared_ptr<const worker::Batch> batch) override;
  std::vector<worker::TaskFinished> take_finished() override;
  bool has_progress() override { return !progress_.empty(); }
  std::deque<protocol::Progress> take_progress() override { return std::exchange(progress_, {}); }
  int fd() const override { return never_fd_; }
  bool& due() override { return is_due_; }

 private:
  struct Asker {
    std::vector<Leased> given;
    std::function<void()> tell;
    IsGone is_gone;
  };
  void turn(TimePoint now) override;
  bool is_due() const override { return is_due_; }
  std::optional<TimePoint> next_deadline() const override;
  void forget_gone();
  void finish(const Leased& leased, Outcome outcome, bool is_cancelled = false);
  void change_slots();

  Fabric& fabric_;
  Pulled pulled_;
  int never_fd_;  // A node watches one; everything here happens in its own loop.
  Leases leases_;
  std::map<Leases::Ask, Asker*> askers_;
  Leases::Ask last_ask_ = 0;
  std::vector<worker::TaskFinished> finished_;
  std::deque<protocol::Progress> progress_;
  bool is_due_ = false;
  TimePoint used_;
  std::optional<TimePoint> next_turn_;
  std::unique_ptr<worker::Node> node_;
};

/// The pullers of all kinds that somebody pulls; one goes when nobody does any more.
class Pullers {
 public:
  static constexpr std::size_t kPullersMax = 256;  // Kinds at once.
  static constexpr Duration kIdle = 30s;           // Then it is no worker of that kind.

  explicit Pullers(Fabric& fabric);
  /// Throws http::Problem 503 if there are too many.
  Puller& of(const Pulled& pulled);
  /// Null: nobody has pulled of it lately.
  Puller* find(const Pulled& pulled);
  /// Lets go those that nobody uses, now and then; for ever.
  awaitable<void> tidy();

 private:
  Fabric& fabric_;
  std::map<Pulled, std::unique_ptr<Puller>> pullers_;
  std::vector<std::unique_ptr<Puller>> leaving_;
};

}  // namespace eole::gateway
