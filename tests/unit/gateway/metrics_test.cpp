#include "gateway/core/metrics.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/histogram_view.hpp"

using namespace eole;
using namespace std::chrono_literals;
using Catch::Contains;
using protocol::Value;

TEST_CASE("metrics are text that Prometheus reads", "[gateway]") {
  gateway::Told told;
  told.ventilator = Value::Map{{"accepted", 7}, {"queued", 7}, {"waiting", 5}, {"running", 1}};
  told.workers = Value::Array{Value::Map{{"name", "a\"b"}, {"slots", 4}, {"held", 3}},
                             Value::Map{{"name", "w1"}, {"slots", 2}, {"held", 1}},
                             Value::Map{{"name", "w1"}, {"slots", 2}, {"held", 2}}};
  REQUIRE(gateway::metrics_text(told) == R"(# HELP eole_up Whether a role answers.
# TYPE eole_up gauge
eole_up{role="ventilator"} 1
eole_up{role="sink"} 0
# HELP eole_tasks_accepted_total Tasks that were accepted durably.
# TYPE eole_tasks_accepted_total counter
eole_tasks_accepted_total 7
# HELP eole_tasks Tasks that are not settled, by what they do.
# TYPE eole_tasks gauge
eole_tasks{state="waiting"} 5
eole_tasks{state="queued"} 2
eole_tasks{state="running"} 1
# HELP eole_workers Connected workers.
# TYPE eole_workers gauge
eole_workers 3
# HELP eole_worker_slots Tasks that a worker runs at a time.
# TYPE eole_worker_slots gauge
eole_worker_slots{worker="a\"b"} 4
eole_worker_slots{worker="w1"} 4
# HELP eole_worker_tasks Tasks that a worker has.
# TYPE eole_worker_tasks gauge
eole_worker_tasks{worker="a\"b"} 3
eole_worker_tasks{worker="w1"} 3
)");
}

TEST_CASE("how long syncs take is a histogram, and requests are counted by route", "[gateway]") {
  SyncTimes times;
  times.add(80us, 3);
  times.add(20ms);
  gateway::Told told;
  told.ventilator_counts = Value::Map{{"commits", protocol::view_of(times)}};
  told.sink_counts = Value::Map{{"commits", protocol::view_of(SyncTimes())}};
  told.gateway = Value::Map{
      {"requests", Value::Array{Value::Map{
                       {"method", "GET"}, {"route", "/task/{id}"}, {"status", 404}, {"count", 7}}}}};
  const auto text = gateway::metrics_text(told);
  for (const auto* line : {
           "# TYPE eole_journal_commit_seconds histogram\n",
           "eole_journal_commit_seconds_bucket{le=\"0.0001\"} 3\n",
           "eole_journal_commit_seconds_bucket{le=\"0.025\"} 4\n",
           "eole_journal_commit_seconds_bucket{le=\"+Inf\"} 4\n",
           "eole_journal_commit_seconds_sum 0.02024\n",
           "eole_journal_commit_seconds_count 4\n",
           "eole_log_commit_seconds_count 0\n",
           "eole_http_requests_total{method=\"GET\",route=\"/task/{id}\",status=\"404\"} 7\n",
       })
    CHECK_THAT(text, Contains(line));
}

TEST_CASE("what is counted by kind is a histogram as Prometheus has it", "[gateway]") {
  Histogram waits;
  waits.add(3ms, 2);
  waits.add(700ms);
  waits.add(7'200s);
  gateway::Told told;
  told.ventilator = Value::Map{{"accepted", 4}};
  told.ventilator_counts = Value::Map{
      {"kinds", Value::Array{Value::Map{{"kind", "e\"x"}, {"waits", protocol::view_of(waits)}}}},
      {"oldest_queued_seconds", 1.5},
      {"redelivered", 2}};
  const auto text = gateway::metrics_text(told);
  for (const auto* line : {
           "# TYPE eole_task_wait_seconds histogram\n",
           "eole_task_wait_seconds_bucket{kind=\"e\\\"x\",le=\"0.005\"} 2\n",
           "eole_task_wait_seconds_bucket{kind=\"e\\\"x\",le=\"0.5\"} 2\n",
           "eole_task_wait_seconds_bucket{kind=\"e\\\"x\",le=\"1\"} 3\n",
           "eole_task_wait_seconds_bucket{kind=\"e\\\"x\",le=\"3600\"} 3\n",
           "eole_task_wait_seconds_bucket{kind=\"e\\\"x\",le=\"+Inf\"} 4\n",
           "eole_task_wait_seconds_sum{kind=\"e\\\"x\"} 7200.706\n",
           "eole_task_wait_seconds_count{kind=\"e\\\"x\"} 4\n",
           "eole_oldest_queued_task_age_seconds 1.5\n",
           "# TYPE eole_redeliveries_total counter\neole_redeliveries_total 2\n",
       })
    CHECK_THAT(text, Contains(line));
}
