#include "common/protocol/trace.hpp"

#include <catch2/catch.hpp>

#include "common/base/ids.hpp"
#include "common/protocol/another.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "tests/unit/golden.hpp"

using namespace eole;
using namespace eole::protocol;

namespace {
const std::string kTraceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string again(const std::string& written) {
  const auto trace = parse_traceparent(written);
  return trace ? traceparent_of(*trace) : "malformed";
}
}  // namespace

TEST_CASE("a traceparent is carried as it was written", "[trace]") {
  CHECK(parse_traceparent(kTraceparent)->size() == kTraceBytes);
  CHECK(again(kTraceparent) == kTraceparent);
  CHECK(traceparent_of("").empty());
}

TEST_CASE("a traceparent that the standard calls invalid is none", "[trace]") {
  for (const auto* bad : {
           "",
           "00",
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   // No version.
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",   // Upper case.
           "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",    // Too short.
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",  // Version 00 has no more.
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",  // No trace.
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",  // No parent.
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",  // More without a dash.
           " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
       })
    CHECK(again(bad) == "malformed");
}

TEST_CASE("a later version is taken for what this one knows of it", "[trace]") {
  CHECK(again("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-then") ==
        kTraceparent);
  CHECK(again("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") == kTraceparent);
}

TEST_CASE("a task that is part of a trace says so, and costs others nothing", "[records]") {
  const auto trace = *parse_traceparent(kTraceparent);
  Conditions keyed;
  keyed.key = "k";
  const auto conditions = encode_conditions(keyed);
  Bytes bare, traced, both;
  put_task_spec(bare, {"\x80"});
  put_task_spec(traced, {"\x80", {}, trace});
  put_task_spec(both, {"\x80", conditions, trace});
  check_golden("traced_spec.record.hex", traced);
  CHECK(traced.size() == bare.size() + kTraceBytes);
  ByteReader reader(both);
  CHECK(read_task_spec(reader) == TaskSpec{"\x80", conditions, trace});
  CHECK_FALSE(has_conditions(traced));
  CHECK(has_conditions(both));
  CHECK(*count_task_specs(bare + traced) == 2);

  traced.replace(TaskSpec::kHeaderBytes, 16, 16, '\0');
  ByteReader nowhere(traced);
  CHECK_FALSE(read_task_spec(nowhere));
}

TEST_CASE("a submit that is said again in another trace is the same submit", "[records]") {
  TaskGroups traced, plain;
  const auto trace = *parse_traceparent(kTraceparent);
  const auto conditions = encode_conditions({.key = "k"});
  for (const auto* kind : {"echo", "echo", "sleep"}) {
    traced.add(TaskClass{kind}, "\x80", {}, trace), plain.add(TaskClass{kind}, "\x80");
    traced.add(TaskClass{kind}, "\x81", conditions), plain.add(TaskClass{kind}, "\x81", conditions);
  }
  const auto bare = plain.take();
  CHECK(*without_traces(traced.take()) == bare);
  CHECK_FALSE(without_traces(bare));
}

TEST_CASE("a task that does what another did not is part of the same trace", "[records]") {
  const auto trace = *parse_traceparent(kTraceparent);
  const auto groups = as_another({"echo"}, {"\x80", {}, trace}, {5, 7});
  ByteReader reader(groups);
  const auto group = read_task_group(reader);
  ByteReader specs(group->specs);
  CHECK(read_task_spec(specs)->trace == trace);
}
