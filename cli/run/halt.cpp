#include "cli/run/halt.hpp"

#include <charconv>

#include "common/base/text.hpp"

namespace eole::cli {

Expected<HaltPolicy> HaltPolicy::parse(const std::string& written) {
  const Error bad{
      text("--halt ", written,
           ": is never, or soon or now, then ,fail=N ,success=N or ,done=N, where N may "
           "be a share of 1% to 100%")};
  HaltPolicy policy;
  if (written == "never") return policy;
  const auto comma = written.find(',');
  const auto equals = written.find('=');
  if (comma == std::string::npos || equals == std::string::npos || equals < comma) return bad;
  const auto when = written.substr(0, comma);
  if (when != "soon" && when != "now") return bad;
  policy.when_ = when == "soon" ? Halt::kSoon : Halt::kNow;
  const auto what = written.substr(comma + 1, equals - comma - 1);
  if (what != "fail" && what != "success" && what != "done") return bad;
  policy.counts_ = what == "fail"      ? Counts::kFail
                   : what == "success" ? Counts::kSuccess
                                       : Counts::kEnded;
  const auto* begin = written.data() + equals + 1;
  const auto* end = written.data() + written.size();
  const auto [at, error] = std::from_chars(begin, end, policy.most_);
  policy.is_share_ = at + 1 == end && *at == '%';
  if (error != std::errc{} || policy.most_ == 0 || (at != end && !policy.is_share_)) return bad;
  if (policy.is_share_ && policy.most_ > 100) return bad;
  return policy;
}

Halt HaltPolicy::on_end(bool is_success) {
  ++ended_;
  if (counts_ == Counts::kEnded || is_success == (counts_ == Counts::kSuccess)) ++counted_;
  if (when_ == Halt::kNone) return Halt::kNone;
  is_met_ = is_met_ || (is_share_ ? counted_ >= kShareOfAtLeast && counted_ * 100 >= most_ * ended_
                                  : counted_ >= most_);
  return is_met_ ? when_ : Halt::kNone;
}

}  // namespace eole::cli
