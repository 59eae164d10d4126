#pragma once
#include <string>
#include <vector>

#include "common/kinds/kinds.hpp"
#include "common/protocol/runner_offers.hpp"

namespace eole::kinds {

/// The kinds that connected workers offer, as a ventilator tells them (the query "kinds").
class OfferedKinds {
 public:
  OfferedKinds() = default;
  /// What makes no sense in it is left out.
  explicit OfferedKinds(const Value& told);
  OfferedKinds(OfferedKinds&&) = default;  // What the kinds point into stays where it is.
  OfferedKinds& operator=(OfferedKinds&&) = default;

  const std::vector<std::string>& names() const { return names_; }
  bool has(std::string_view name) const;
  /// One that comes with Eole, or that is offered; null: neither.
  const Kind* find(std::string_view name) const;
  /// Those that did not come with Eole.
  const std::vector<Kind>& of_runners() const { return kinds_; }

 private:
  std::vector<std::string> names_;
  std::vector<protocol::KindOffer> told_;
  std::vector<std::vector<Argument>> arguments_;
  std::vector<Kind> kinds_;
};

}  // namespace eole::kinds
