#pragma once
#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "ventilator/core/gates/gate.hpp"

namespace eole::ventilator {

using protocol::Conditions;
using protocol::OnParentFailure;
using protocol::TaskState;

inline constexpr Origin kOrigin = 5;
inline constexpr std::int64_t kUnixMs = 1'000'000;

/// One gate alone, a clock, how tasks ended, and what the last step let go.
template <class Tested>
struct GateRig {
  Tested gate;
  Moment moment{TimePoint(1000s), kUnixMs};
  SeqRanges settled = {};
  protocol::NotDone not_done = {};
  bool is_known = true;
  Released out = {};

  Ends ends() const { return {settled, not_done, is_known}; }
  bool enter(Seq seq, const Conditions& conditions,
             OnParentFailure on_failure = OnParentFailure::kFail,
             std::int64_t accepted_unix_ms = kUnixMs) {
    out = {};
    return gate.enter({seq, accepted_unix_ms, conditions, on_failure}, moment, ends(), out);
  }
  void settle(Seq seq, TaskState state) {
    if (state != TaskState::kDone) not_done.add({seq, seq}, state);
    settled.add(seq, seq);
  }
  Released& end(Seq seq, TaskState state = TaskState::kDone) {
    out = {};
    settle(seq, state);
    gate.on_ended(seq, seq, ends(), out);
    return out;
  }
  Released& introduce() {
    out = {};
    is_known = true;
    gate.on_introduced(ends(), out);
    return out;
  }
  Released& pass(Duration time) {
    out = {};
    moment.now += time;
    moment.unix_ms += time / 1ms;
    gate.on_deadline(moment, out);
    return out;
  }
};

inline const Released kNothing;
inline Released let_go(std::vector<Seq> seqs) { return {std::move(seqs), {}}; }
inline Released ended(Seq seq, TaskState state, Why why) {
  return {{}, {{seq, state, std::move(why)}}};
}

}  // namespace eole::ventilator
