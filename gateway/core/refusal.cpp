#include "gateway/core/refusal.hpp"

#include <string>
#include <string_view>

namespace eole::gateway {

using http::Problem;

namespace {

// As the roles say it: the ring has no numbers for why.
bool is_outside(std::string_view reason) {
  for (const auto* words : {": is not within ", "no project is named: ", ": tells of all projects"})
    if (reason.find(words) != reason.npos) return true;
  return false;
}

// Of "…; try again in 12 s"; one where it is not said.
std::string seconds_in(std::string_view reason) {
  constexpr std::string_view kTryAgain = "try again in ";
  const auto at = reason.find(kTryAgain);
  if (at == reason.npos) return "1";
  reason.remove_prefix(at + kTryAgain.size());
  const auto digits = reason.substr(0, reason.find_first_not_of("0123456789"));
  return digits.empty() ? "1" : std::string(digits);
}

}  // namespace

Problem problem_of(const Error& error, int status) {
  const std::string_view reason = error.message;
  if (is_outside(reason)) status = 403;
  const bool is_beyond = reason.find("quota tenant:") != reason.npos;
  const bool may_fit = reason.find("; try again ") != reason.npos;
  if (is_beyond) status = may_fit ? 429 : 413;
  if (error.is_silence) status = 503;
  Problem problem(status, error.message);
  if (error.is_silence) problem.fields.push_back({"Retry-After", "1"});
  if (status == 429) problem.fields.push_back({"Retry-After", seconds_in(reason)});
  return problem;
}

}  // namespace eole::gateway
