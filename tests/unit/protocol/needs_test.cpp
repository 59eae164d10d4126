#include "common/protocol/needs.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/task_class.hpp"

using namespace eole::protocol;

TEST_CASE("amounts are numbers with a unit behind them", "[protocol]") {
  REQUIRE(parse_amount("2") == 2000);
  REQUIRE(parse_amount("0.5") == 500);
  REQUIRE(parse_amount("1K") == 1024'000);
  REQUIRE(parse_amount("64G") == 64ULL * 1024 * 1024 * 1024 * 1000);
  for (const auto* bad :
       {"", "G", "-1", "0", "1e3", "a100", "64GB", "64 G", "nan", "0.0001", "9e9T"})
    REQUIRE(parse_amount(bad) == std::nullopt);
  REQUIRE(amount_text(*parse_amount("64G")) == "64G");
  REQUIRE(amount_text(500) == "0.5");
}

TEST_CASE("needs are labels and resources, each said once", "[protocol]") {
  const auto needs = parse_needs("gpu=a100,mem=64K,licence=2");
  REQUIRE(needs);
  REQUIRE(*needs == std::vector<Need>{
                        {"gpu", "a100", {}}, {"mem", "64K", 65'536'000}, {"licence", "2", 2000}});
  REQUIRE(parse_needs("")->empty());
  const auto error = [](const std::string& written) {
    return parse_needs(written).error().message;
  };
  REQUIRE(error("gpu") == "gpu: is NAME=VALUE");
  REQUIRE(error("=2") == "=2: is NAME=VALUE");
  REQUIRE(error("mem=") == "mem=: is NAME=VALUE");
  REQUIRE(error("a=1,a=2") == "a: said twice");
  for (const std::string bad : {"cpus=-1", "cpus=0", "mem=lots", "mem=1GB"})
    REQUIRE(error(bad) == bad + ": is a number above 0, with K, M, G or T behind it");
  REQUIRE(error("a=" + std::string(65, 'x')) == "a name or value of 65 bytes, limit 64");
  std::string many;
  for (int i = 0; i < 33; ++i) many += "n" + std::to_string(i) + "=1,";
  REQUIRE(error(many) == "more than 32");
}

TEST_CASE("a worker offers labels and amounts", "[protocol]") {
  const auto offers = parse_offers("gpu=a100,rack=7", "cpus=4,mem=0.5K");
  REQUIRE(offers);
  REQUIRE(*offers == Offers{{{"gpu", "a100"}, {"rack", "7"}}, {{"cpus", 4000}, {"mem", 512'000}}});
  REQUIRE(parse_offers("", "mem=much").error().message ==
          "resource: mem=much: is a number above 0, with K, M, G or T behind it");
  REQUIRE(parse_offers("mem=much", "").error().message == "label: mem: is a resource");
  REQUIRE(parse_offers("a=1,a=2", "").error().message == "label: a: said twice");
  REQUIRE(parse_offers("a=1", "a=2").error().message == "resource: a: said twice");
  REQUIRE(parse_offers("gpu=" + std::string(65, 'x'), "").error().message ==
          "label: a name or value of 65 bytes, limit 64");
  REQUIRE(parse_offers(std::string(1001, 'x'), "").error().message ==
          "label: 1001 bytes, limit 1000");
}

TEST_CASE("a place is a worker or all of them", "[protocol]") {
  REQUIRE(*parse_place("") == Place{});
  REQUIRE(*parse_place("pin=w1") == Place{Place::Is::kPin, "w1"});
  REQUIRE(*parse_place("prefer=w 2") == Place{Place::Is::kPrefer, "w 2"});
  REQUIRE(*parse_place("spread") == Place{Place::Is::kSpread, ""});
  for (const std::string bad : {"pin", "here"})
    REQUIRE(parse_place(bad).error().message == bad + ": is pin=WORKER, prefer=WORKER or spread");
  REQUIRE(parse_place("pin=").error().message == "a worker's name of 0 bytes, limits 1 and 255");
}

TEST_CASE("a class with needs that make no sense is none", "[protocol]") {
  TaskClass task_class{"echo"};
  task_class.needs = "gpu";
  REQUIRE(decode_class(encode_class(task_class)).error().message ==
          "class: needs: gpu: is NAME=VALUE");
  task_class.needs = "";
  task_class.place = "here";
  REQUIRE(decode_class(encode_class(task_class)).error().message ==
          "class: place: here: is pin=WORKER, prefer=WORKER or spread");
}
