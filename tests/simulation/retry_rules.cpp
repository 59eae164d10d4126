#include "tests/simulation/retry_rules.hpp"

#include "common/base/text.hpp"
#include "common/protocol/causes.hpp"
#include "common/protocol/value.hpp"

namespace eole::simulation {

namespace {
constexpr Duration kLimitSlack = 500ms;  // A worker looks at its clock now and then.
}

void RetryRules::on_failed(const protocol::ResultRecord& result, TimePoint now) {
  const auto body = protocol::Value::from_msgpack(result.body);
  if (!body) return;
  failures_[result.id] = {(*body)["cause"].text_or(std::string(protocol::kCauseError)),
                          static_cast<std::uint64_t>((*body)["retry_after_ms"].int_or(0)), now};
}

void RetryRules::on_send(const TaskId& id, const Plan& plan, bool was_restarted,
                         TimePoint now) const {
  const auto failure = failures_.find(id);
  // A failure that was logged while the ventilator was away it knows by its absence only. A second
  // copy may be sent before it hears how the first one ended.
  if (failure == failures_.end() || !keeps_workers_ || was_restarted) return;
  if (plan.task_class.speculate != 0) return;
  const auto& [cause, retry_after_ms, when] = failure->second;
  const auto& wanted = plan.task_class.retry_on;
  if (!wanted.empty() && cause != protocol::kCauseLost && !protocol::has_cause(wanted, cause))
    throw Violation{text(to_text(id), " was tried again after ", cause, ", and is not to be")};
  if (now < when + std::chrono::milliseconds(retry_after_ms))
    throw Violation{text(to_text(id), " was tried again sooner than it asked")};
}

void RetryRules::on_run(const TaskId& id, const Plan& plan, Duration ran, bool was_ended) const {
  const auto limit = plan.task_class.timeout_ms;
  if (limit == 0 || was_ended || !keeps_workers_) return;
  if (ran > std::chrono::milliseconds(limit) + kLimitSlack)
    throw Violation{text(to_text(id), " ran on behind its time limit")};
}

// A task that waits in a worker when that is lost may have begun.
void RetryRules::on_dead(const protocol::ResultRecord& letter, int executions) const {
  if (keeps_workers_ && (executions == 0 || executions < letter.attempt))
    throw Violation{text(to_text(letter.id), " is dead after ", letter.attempt,
                         " attempts, and began ", executions, " times")};
}

}  // namespace eole::simulation
