#pragma once
#include <catch2/catch.hpp>

#include "common/protocol/value.hpp"
#include "sink/core/settler.hpp"

/// What tests of the settler say to it, and compare with.
namespace eole::sink::settler_rig {

using protocol::ResultRecord;
using protocol::TaskState;

constexpr Origin kOrigin = 5;
constexpr RunId kRun = 77;
constexpr std::size_t kLeaseStartAt = 4 + 8;  // In a result run, behind origin and seq.

struct Spec {
  Seq seq;
  bool is_final = true;
  TaskState state = TaskState::kDone;
  std::uint64_t lease = 1;
  std::string project = "";
  std::string artifacts = "";
  std::uint64_t run_us = 0;
  bool may_have_copy = false;
  bool is_copy = false;
};

inline std::string error_in(const ResultRecord& result) {
  const auto body = protocol::Value::from_msgpack(result.body);
  REQUIRE(body);
  return (*body)["error"].text_or("");
}

inline Bytes records(const std::vector<Spec>& specs) {
  Bytes out;
  for (const auto& spec : specs) {
    ResultRecord result;
    result.id = {kOrigin, spec.seq};
    result.lease = {1, spec.lease};
    result.attempt = 1;
    result.state = spec.state;
    result.is_final = spec.is_final;
    result.kind = "echo";
    result.project = spec.project;
    result.artifacts = spec.artifacts;
    result.run_us = spec.run_us;
    result.may_have_copy = spec.may_have_copy;
    result.is_copy = spec.is_copy;
    result.body = "\x80";
    put_result(out, result);
  }
  return out;
}

inline ResultsReceived results(std::uint64_t first, const std::vector<Spec>& specs,
                        std::uint64_t floor = 0) {
  return {
      {kRun, first, floor, static_cast<std::uint32_t>(specs.size()), "w1", kOrigin, records(specs)},
      {},
      {}};
}

/// Results with these bodies in one run, of the tasks first, first + 1 …
inline ResultsReceived run(std::uint64_t number, Seq first, const std::vector<std::string>& bodies) {
  ResultRecord result;
  result.id = {kOrigin, first};
  result.lease = {1, first};
  result.kind = "echo";
  const auto count = static_cast<std::uint32_t>(bodies.size());
  Bytes bytes;
  for (const auto& body : bodies) protocol::put_body(bytes, body);
  ResultsReceived event{{kRun, number, 0, count, "w1", kOrigin, {}}, {}, {}};
  protocol::put_result_run(event.results.payload, {result, count, bytes});
  return event;
}

inline AppendBatch batch(std::uint64_t offset, std::uint64_t level, const std::vector<Spec>& specs,
                  RunId run = kRun, std::string worker = "w1") {
  const auto raw = records(specs);
  Summary summary;
  summary.first_offset = offset;
  ByteReader reader(raw);
  Settlements settlements;
  while (const auto found = protocol::read_result_run(reader)) {
    summary.add(*found);
    add_settlement(*found, settlements);
  }
  return {protocol::encode_batch(
              {offset, run, level, static_cast<std::uint32_t>(specs.size()), worker, raw}),
          specs[0].project, summary, settlements};
}

inline Actions act(Settler& core, const Event& event) {
  Actions out;
  core.on_event(event, out);
  return out;
}

inline Settler introduced() {
  Settler core(9);
  act(core, IntroduceReceived{"v", {1, kOrigin, 1, 100, 50, 0, 1, {}}, {}});
  for (const RunId run : {kRun, kRun + 1}) core.load_run({run, ""});
  return core;
}

}  // namespace eole::sink::settler_rig
