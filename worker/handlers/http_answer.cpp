#include "worker/handlers/http_answer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "common/base/base64.hpp"
#include "common/base/ids.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "worker/handlers/url.hpp"

namespace eole::worker {

namespace {

constexpr std::size_t kValidatorBytesMax = 1000;
constexpr std::int64_t kStrongAfterSeconds = 60;  // RFC 9110, 8.8.2.2, of clocks not known alike.
constexpr std::uint64_t kBytesMax = INT64_MAX;    // What a file offset can say.

std::string lowered(std::string_view text) {
  std::string out(text);
  for (auto& letter : out)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || rest != end || error != std::errc() || number > kBytesMax)
    return std::nullopt;
  return number;
}

bool is_strong_tag(std::string_view tag) {
  return tag.size() >= 2 && tag.size() <= kValidatorBytesMax && tag.front() == '"' &&
         tag.back() == '"' && std::all_of(tag.begin() + 1, tag.end() - 1, [](char letter) {
           const auto code = static_cast<unsigned char>(letter);
           return code > 0x20 && code != '"' && code != 0x7f;
         });
}

}  // namespace

std::optional<ContentRange> read_content_range(std::string_view value) {
  value = trimmed(value);
  if (lowered(value.substr(0, 6)) != "bytes ") return std::nullopt;
  value.remove_prefix(6);
  const auto dash = value.find('-');
  const auto slash = value.find('/');
  if (dash == value.npos || slash == value.npos || dash > slash) return std::nullopt;
  const auto first = read_number(value.substr(0, dash));
  const auto last = read_number(value.substr(dash + 1, slash - dash - 1));
  const auto rest = value.substr(slash + 1);
  const auto total = read_number(rest);
  if (!first || !last || *last < *first || (!total && rest != "*")) return std::nullopt;
  if (total && *last >= *total) return std::nullopt;
  return ContentRange{*first, *last, total};
}

std::optional<std::int64_t> read_http_date(std::string_view value) {
  value = trimmed(value);
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (value.size() != 29 || value.substr(3, 2) != ", " || value.substr(25) != " GMT" ||
      value[7] != ' ' || value[11] != ' ' || value[16] != ' ' || value[19] != ':' ||
      value[22] != ':')
    return std::nullopt;
  const auto month = kMonths.find(value.substr(8, 3));
  const auto day = read_number(value.substr(5, 2));
  const auto year = read_number(value.substr(12, 4));
  const auto hour = read_number(value.substr(17, 2));
  const auto minute = read_number(value.substr(20, 2));
  const auto second = read_number(value.substr(23, 2));
  if (month == kMonths.npos || month % 3 != 0 || !day || !year || !hour || !minute || !second)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return std::int64_t{days} * 86400 +
         static_cast<std::int64_t>(*hour * 3600 + *minute * 60 + *second);
}

std::string read_digest(std::string_view value) {
  while (!value.empty()) {
    const auto comma = std::min(value.find(','), value.size());
    auto one = trimmed(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (lowered(one.substr(0, 8)) != "sha-256=") continue;
    one.remove_prefix(8);
    if (one.size() >= 2 && one.front() == ':' && one.back() == ':')
      one = one.substr(1, one.size() - 2);
    const auto raw = from_base64(one);
    if (raw && raw->size() == 32) return hex(*raw);
  }
  return {};
}

void Answer::Field::set(std::string_view text) {
  is_twice = is_twice || (is_there && value != text);
  value = text;
  is_there = true;
}

void Answer::add(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    *this = {};
    is_framed_by_protocol_ = line.size() > 5 && line[5] >= '2' && line[5] <= '9';
    const auto space = line.find(' ');
    if (space != line.npos)
      status_ = static_cast<int>(read_number(line.substr(space + 1, 3)).value_or(0));
    return;
  }
  const auto colon = line.find(':');
  if (colon != line.npos) take(lowered(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
}

void Answer::take(std::string_view name, std::string_view value) {
  if (name == "etag") etag_.set(value);
  if (name == "last-modified") last_modified_.set(value);
  if (name == "date") date_.set(value);
  if (name == "content-range") range_.set(value);
  if (name == "content-length") length_.set(value);
  if (name == "content-encoding") encoding_.set(lowered(value));
  if (name == "transfer-encoding") transfer_.set(lowered(value));
  if (name == "content-disposition") disposition_.set(value);
  if (name == "retry-after") retry_after_.set(value);
  if (name == "repr-digest") repr_digest_.set(value);
  if (name == "digest") digest_.set(value);
  if (name == "accept-ranges") accept_ranges_.set(lowered(value));
}

std::optional<std::int64_t> Answer::retry_after(std::int64_t now) const {
  if (const auto seconds = read_number(retry_after_.value))
    return static_cast<std::int64_t>(*seconds);
  const auto until = read_http_date(retry_after_.value);
  if (!until) return std::nullopt;
  // By the server's own clock if it tells it.
  return std::max<std::int64_t>(0, *until - read_http_date(date_.value).value_or(now));
}

// Only what changes with every change of the bytes.
std::string Answer::strong_validator() const {
  if (etag_.is_there)
    return is_strong_tag(etag_.value) && !etag_.is_twice ? etag_.value : std::string();
  const auto modified = read_http_date(last_modified_.value);
  const auto date = read_http_date(date_.value);
  const bool is_strong = modified && date && !last_modified_.is_twice && !date_.is_twice &&
                         *date - *modified >= kStrongAfterSeconds;
  return is_strong ? last_modified_.value : std::string();
}

Judgement Judgement::of(const Answer& answer, std::optional<std::uint64_t> asked_from,
                        const Version& part) {
  Judgement judged;
  const auto refuse = [&](auto... words) {
    judged.refusal = text("HTTP ", answer.status_, ' ', words...);
    return judged;
  };
  const auto length = read_number(answer.length_.value);
  if (answer.length_.is_there && (!length || answer.length_.is_twice))
    return refuse("with a Content-Length that is none");
  if (answer.transfer_.is_there &&
      (answer.transfer_.value != "chunked" || answer.transfer_.is_twice))
    return refuse("with a Transfer-Encoding that was not asked for");
  judged.is_framed = length || answer.transfer_.is_there || answer.is_framed_by_protocol_;
  judged.version.validator = answer.strong_validator();
  judged.version.encoding = answer.encoding_.value;
  judged.takes_ranges = answer.status_ == 206 || answer.accept_ranges_.value == "bytes";
  if (answer.disposition_.is_there)
    judged.version.name = name_in_disposition(answer.disposition_.value).value_or("");
  if (!answer.repr_digest_.is_twice && !answer.digest_.is_twice) {
    judged.version.sha256 = read_digest(answer.repr_digest_.value);
    if (judged.version.sha256.empty()) judged.version.sha256 = read_digest(answer.digest_.value);
  }

  const auto range = read_content_range(answer.range_.value);
  if (answer.status_ == 200) {
    const bool is_all = range && range->first == 0 && range->total == range->last + 1;
    if (answer.range_.is_there && !is_all)
      return refuse("with a part of the file: ", answer.range_.value);
    judged.version.total = length;
    judged.end = length;
    return judged;
  }
  if (answer.status_ != 206) return refuse("is no file");
  if (!asked_from) return refuse("though no range was asked for");
  if (!range || answer.range_.is_twice) return refuse("without a Content-Range of one range");
  const auto says = text(", \"", answer.range_.value, "\", asked was from ", *asked_from);
  if (range->first != *asked_from && !planted("any-range-is-taken"))
    return refuse("of another range", says);
  if (length && *length != range->last - range->first + 1) return refuse("of another length", says);
  // Without the whole length nobody can tell whether its last byte is the file's.
  const auto total = range->total ? range->total : part.total;
  if (!total || range->last >= *total || (part.total && *part.total != *total))
    return refuse("of another or unknown whole length", says);
  if (judged.version.validator != part.validator && !planted("other-versions-are-glued"))
    return refuse("of another version: ", judged.version.validator, ", the part is of ",
                  part.validator);
  if (judged.version.encoding != part.encoding) return refuse("in another encoding");
  judged.from = *asked_from;
  judged.end = range->last + 1;
  judged.version = part;
  judged.version.total = total;
  return judged;
}

}  // namespace eole::worker
