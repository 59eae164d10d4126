#include "worker/handlers/registry.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace eole;

TEST_CASE("each kind that is described has one handler, and each handler a kind", "[kinds]") {
  std::multiset<std::string_view> described;
  std::multiset<std::string_view> handled;
  for (const auto& kind : kinds::all()) described.insert(kind.name);
  for (const auto& handler : worker::handlers()) handled.insert(handler.kind.name);
  CHECK(handled == described);
  CHECK(std::set(described.begin(), described.end()).size() == described.size());
}

TEST_CASE("a handler runs where its kind says", "[kinds]") {
  for (const auto& handler : worker::handlers()) {
    INFO(handler.kind.name);
    const bool is_inline = handler.kind.runner == kinds::Runner::kInline;
    CHECK((handler.run_inline != nullptr) == is_inline);
    CHECK((handler.run != nullptr) != is_inline);
    CHECK((handler.program != nullptr) == (handler.kind.runner == kinds::Runner::kProcess));
  }
}
