#include "ventilator/core/wishes.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace eole;
using namespace eole::ventilator;

namespace {

using Told = std::vector<std::pair<std::string, std::string>>;

Told told(const Wishes& wishes, std::string_view what) {
  Told told;
  wishes.each(what, [&](const std::string& about, std::string_view value) {
    told.emplace_back(about, value);
  });
  return told;
}

}  // namespace

TEST_CASE("a wish holds until it is taken back, and is what was said last", "[ventilator]") {
  Wishes wishes;
  wishes.put("limit", "kind:a", "1");
  wishes.put("limit", "kind:b", "2");
  wishes.put("pause", "kind:a", "3");
  wishes.put("limit", "kind:a", "4");
  REQUIRE(told(wishes, "limit") == Told{{"kind:a", "4"}, {"kind:b", "2"}});
  wishes.put("limit", "kind:a", "");
  wishes.put("limit", "kind:a", "");
  REQUIRE(told(wishes, "limit") == Told{{"kind:b", "2"}});
  REQUIRE(told(wishes, "pause") == Told{{"kind:a", "3"}});
}

TEST_CASE("wishes are saved record by record, whatever is taken back meanwhile", "[ventilator]") {
  Wishes wishes;
  for (int i = 0; i < 100; ++i) wishes.put("limit", std::to_string(i), Bytes(1000, 'v'));
  Wishes loaded;
  SavePlace place{Part::kWishes};
  Bytes record;
  wishes.save(place, record);
  REQUIRE((record.size() > kPartBytesMax / 2 && record.size() <= kPartBytesMax));
  REQUIRE(loaded.load(record));
  for (int i = 0; i < 50; ++i) wishes.put("limit", std::to_string(i), "");
  Bytes rest;
  wishes.save(place, rest);
  REQUIRE(loaded.load(rest));
  Bytes nothing;
  wishes.save(place, nothing);
  REQUIRE(nothing.empty());
  REQUIRE(told(loaded, "limit").size() == 100);
  Bytes news;
  for (int i = 0; i < 50; ++i) put_wish(news, "limit", std::to_string(i), "");
  REQUIRE(loaded.load(news));
  REQUIRE(told(loaded, "limit") == told(wishes, "limit"));
  REQUIRE_FALSE(loaded.load(record.substr(0, record.size() - 1)));
}

TEST_CASE("wishes are refused beyond their bounds, by name", "[ventilator]") {
  Wishes wishes;
  REQUIRE(wishes.why_refused("pause", "all", Bytes(kWishBytesMax, 'v')) ==
          Error{"pause: a wish of 16392 bytes, limit 16384", ErrorCode::kTooLarge});
  for (std::size_t i = 0; i < kWishesMax; ++i) {
    REQUIRE_FALSE(wishes.why_refused("pause", std::to_string(i), "v"));
    wishes.put("pause", std::to_string(i), "v");
  }
  REQUIRE(wishes.why_refused("pause", "more", "v") ==
          Error{"pause more: 4096 wishes are kept, limit 4096", ErrorCode::kFull});
  REQUIRE_FALSE(wishes.why_refused("pause", "7", "w"));
  REQUIRE_FALSE(wishes.why_refused("pause", "more", ""));
}
