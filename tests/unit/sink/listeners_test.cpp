#include "sink/core/listeners.hpp"

#include <catch2/catch.hpp>

using eole::sink::Listeners;

TEST_CASE("events are wanted whose topic begins with what somebody subscribed to", "[listeners]") {
  Listeners listeners;
  listeners.hear("result.", "");
  listeners.hear("", "");
  REQUIRE(listeners.is_empty());
  for (const auto* prefix : {"json.shop.", "json.shop.echo.failed", "json.a", "event.z"})
    listeners.hear(prefix, "");
  for (const auto* wanted : {"json.shop.echo.done", "json.shop.echo.failed", "json.abc.x.done",
                             "json.a.x.done", "event.z.x.done"})
    REQUIRE(listeners.wants(wanted));
  for (const auto* other : {"json.shops.echo.done", "json.b.x.done", "event.shop.echo.done"})
    REQUIRE_FALSE(listeners.wants(other));
}

TEST_CASE("nobody silences others", "[listeners]") {
  Listeners listeners;
  listeners.hear("json.", "one");
  listeners.leave("json.", "another");
  REQUIRE(listeners.wants("json.a.b.done"));
  listeners.hear("json.", "another");
  listeners.leave("json.", "one");
  listeners.leave("json.", "another");
  REQUIRE(listeners.wants("json.a.b.done"));
  listeners.leave("json.", std::nullopt);
  REQUIRE(listeners.is_empty());
  listeners.hear("json.", "one");
  listeners.leave("json.", "one");
  REQUIRE(listeners.is_empty());
}

TEST_CASE("who wants more topics than are kept makes all wanted", "[listeners]") {
  Listeners listeners;
  for (std::size_t i = 0; i < Listeners::kTopicsHeardMax; ++i)
    listeners.hear("json." + std::to_string(i) + ".", "");
  REQUIRE_FALSE(listeners.wants("json.x.y.done"));
  listeners.hear("json.y.", "");
  REQUIRE(listeners.wants("json.x.y.done"));
}
