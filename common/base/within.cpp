#include "common/base/within.hpp"

#include "common/base/owned_name.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole {

namespace {
constexpr char kBetween = '\n';  // Of the prefix and a name: no person writes it.
}

Expected<Within> Within::parse(std::string_view prefix) {
  auto within = parse_kept(prefix);
  if (within && (prefix.starts_with('/') || prefix.find("//") != prefix.npos))
    return Error{
        text("prefix ", prefix, ": has nothing before a /; a name is wanted, as in acme/photos/")};
  return within;
}

// With its end, or acme would have acmecorp/ in it.
Expected<Within> Within::parse_kept(std::string_view prefix) {
  if (prefix.size() > kPrefixBytesMax)
    return Error{text("prefix of ", prefix.size(), " bytes, limit ", kPrefixBytesMax)};
  if (!prefix.ends_with('/'))
    return Error{
        text("prefix ", prefix, ": is the begin of projects' names up to a /, like acme/")};
  return Within(std::string(prefix));
}

bool Within::has(std::string_view project) const {
  return project.starts_with(prefix_) || planted("within-ignored");
}

Expected<Within> Within::narrowed(std::string_view asked) const {
  if (asked.empty()) return *this;
  auto wanted = parse(asked);
  if (wanted && !has(asked))
    return Error{text("within ", asked, ": this key is bound to ", prefix_), ErrorCode::kOutside};
  return wanted;
}

std::string Within::own(std::string_view name) const {
  return is_all() || name.empty() ? std::string(name) : text(prefix_, kBetween, name);
}

std::string_view Within::shown(std::string_view own) const {
  return is_all() || own.empty() ? own : own.substr(prefix_.size() + 1);
}

OwnedName owned_name(std::string_view own) {
  const auto between = own.find(kBetween);
  if (between == own.npos) return {Within(), own};
  const auto by = Within::parse_kept(own.substr(0, between));
  return by ? OwnedName{*by, own.substr(between + 1)} : OwnedName{Within(), own};
}

}  // namespace eole
