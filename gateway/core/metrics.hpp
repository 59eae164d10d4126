#pragma once
#include <string>

#include "common/protocol/value.hpp"

namespace eole::gateway {

/// What the roles say of themselves, in Prometheus' text format 0.0.4. Each is null if it does not
/// answer: its metrics are left out then, and eole_up of it is 0.
struct Told {
  protocol::Value ventilator;
  protocol::Value workers;  // As the query workers has them.
  protocol::Value sink;
  protocol::Value gateway;
  protocol::Value ventilator_counts = {};  // As the queries metrics have them.
  protocol::Value sink_counts = {};
  protocol::Value groups = {};  // As the query groups has them, with each one's partitions.
};
std::string metrics_text(const Told& told);

}  // namespace eole::gateway
