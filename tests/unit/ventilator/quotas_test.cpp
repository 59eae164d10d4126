#include "ventilator/core/limits/quotas.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;

namespace {

constexpr TimePoint kBegin = TimePoint(100s);

/// So many tasks of a project, each of so many bytes of arguments.
Bytes tasks(const std::string& project, std::uint32_t count, std::size_t bytes = 1) {
  protocol::TaskGroups groups;
  for (std::uint32_t i = 0; i < count; ++i)
    groups.add(protocol::TaskClass{"work", project}, std::string(bytes, 'x'));
  return groups.take();
}

/// What is queued, and what may be.
struct Parts {
  TaskClasses classes;
  Quotas quotas;
  Seq last = 0;

  void queue(const std::string& project, std::uint32_t count, std::size_t bytes) {
    classes.put(last + 1, count, protocol::encode_class({"work", project}), false, bytes);
    last += count;
  }
  std::optional<Error> why(const Bytes& groups, Duration later = {}) const {
    return quotas.why_refused(groups, classes, kBegin + later);
  }
};

Error later(const std::string& message, std::uint32_t retry_after_ms = 0) {
  return {message, ErrorCode::kQuota, retry_after_ms};
}

}  // namespace

TEST_CASE("a quota counts what is queued of its prefix, and what comes with a submit", "[quotas]") {
  Parts parts;
  parts.queue("acme/photos", 2, 90);
  parts.queue("zeta/films", 50, 9000);
  REQUIRE_FALSE(parts.why(tasks("acme/photos", 99)));
  parts.quotas.set("acme/", {.queued = 3}, kBegin);
  REQUIRE_FALSE(parts.why(tasks("acme/films", 1)));
  REQUIRE(parts.why(tasks("acme/films", 2)) ==
          later("quota tenant:acme/: 2 tasks are queued, with this submit 4, limit 3; try again "
                "later"));
  REQUIRE_FALSE(parts.why(tasks("zeta/films", 99)));
  parts.quotas.set("acme/photos/", {.queued = 1}, kBegin);  // Of others yet.
  REQUIRE_FALSE(parts.why(tasks("acme/photos", 1)));
  parts.quotas.set("acme/", {}, kBegin);
  REQUIRE_FALSE(parts.why(tasks("acme/films", 2)));
}

TEST_CASE("only what of a submit is of the prefix counts, and it is refused as a whole",
          "[quotas]") {
  Parts parts;
  parts.queue("acme/photos", 1, 45);
  parts.quotas.set("acme/", {.queued = 2}, kBegin);
  REQUIRE_FALSE(parts.why(tasks("acme/photos", 1) + tasks("zeta/films", 10)));
  REQUIRE(parts.why(tasks("zeta/films", 10) + tasks("acme/photos", 1) + tasks("acme/films", 1)) ==
          later("quota tenant:acme/: 1 task is queued, with this submit 3, limit 2; try again "
                "later"));
}

TEST_CASE("what would not fit into an empty queue is not to be tried again", "[quotas]") {
  Parts parts;
  parts.quotas.set("acme/", {.queued = 2, .bytes = 1}, kBegin);
  REQUIRE(parts.why(tasks("acme/photos", 3)) ==
          Error{"quota tenant:acme/: 0 tasks are queued, with this submit 3, limit 2",
                ErrorCode::kTooLarge});
  const auto why = parts.why(tasks("acme/photos", 1));
  REQUIRE(why->code == ErrorCode::kTooLarge);
  REQUIRE(why->message.starts_with("quota tenant:acme/: 0 bytes are queued"));
  parts.queue("acme/photos", 1, 1);
  parts.quotas.set("acme/", {.bytes = 100}, kBegin);
  REQUIRE_FALSE(parts.why(tasks("acme/photos", 1, 80)));
  REQUIRE(parts.why(tasks("acme/photos", 1, 95)) ==
          later("quota tenant:acme/: 1 byte is queued, with this submit 101, limit 100; try again "
                "later"));
}

TEST_CASE("a submit that finds any of a rate left is accepted, and pays off what is more",
          "[quotas]") {
  Parts parts;
  parts.quotas.set("acme/", {.rate = 10}, kBegin);
  const auto one = tasks("acme/photos", 1);
  REQUIRE_FALSE(parts.why(tasks("acme/photos", 21)));
  parts.quotas.on_accepted(tasks("acme/photos", 21), kBegin);
  parts.quotas.on_accepted(tasks("zeta/films", 1000), kBegin);
  REQUIRE(parts.why(one) ==
          later("quota tenant:acme/: 10 tasks a second are accepted; try again in 3 s", 2100));
  REQUIRE_FALSE(parts.why(tasks("zeta/films", 1)));
  REQUIRE(parts.why(one, 2099ms));
  REQUIRE_FALSE(parts.why(one, 2100ms));
  parts.quotas.on_accepted(tasks("acme/photos", 10), kBegin + 1h);  // Of a second's it was all.
  REQUIRE(parts.why(one, 1h) ==
          later("quota tenant:acme/: 10 tasks a second are accepted; try again in 1 s", 100));
}
