#include "gateway/core/metrics.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using protocol::Value;

TEST_CASE("metrics are text that Prometheus reads", "[gateway]") {
  gateway::Told told;
  told.ventilator = Value::Map{{"accepted", 7}, {"queued", 7}, {"waiting", 5}, {"running", 1}};
  told.workers = Value::Array{Value::Map{{"name", "a\"b"}, {"slots", 4}, {"held", 3}}};
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
eole_workers 1
# HELP eole_worker_slots Tasks that a worker runs at a time.
# TYPE eole_worker_slots gauge
eole_worker_slots{worker="a\"b"} 4
# HELP eole_worker_tasks Tasks that a worker has.
# TYPE eole_worker_tasks gauge
eole_worker_tasks{worker="a\"b"} 3
)");
}
