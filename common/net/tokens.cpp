#include "common/net/tokens.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "common/base/ids.hpp"
#include "common/base/own_files.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/base/within.hpp"
#include "common/net/private_file.hpp"

namespace eole::net {

namespace {

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && name.size() <= kTokenNameBytesMax &&
         std::all_of(name.begin(), name.end(), fits);
}

// Only one process at a time changes the table.
class Lock {
 public:
  explicit Lock(const std::string& path)
      : fd_(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0)
      throw std::runtime_error(text("cannot lock ", path, ".lock: ", std::strerror(errno)));
  }
  ~Lock() { ::close(fd_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  const OwnFiles own_;
  int fd_;
};

std::vector<Token> read(const std::string& path) {
  const OwnFiles own;
  std::vector<Token> tokens;
  try {
    const auto file = toml::parse_file(path);
    const auto* list = file["token"].as_array();
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const auto* entry = (*list)[i].as_table();
      const auto wrong = [&](const std::string& what) {
        return std::runtime_error(text("table of tokens ", path, ": token ", i + 1, ": ", what));
      };
      if (entry == nullptr) throw wrong("is none");
      const auto member = [&](const char* name) { return (*entry)[name].value_or(std::string()); };
      const auto role = parse_role(member("role"));
      if (!role) throw wrong(text("role ", member("role"), ": there are submit, observe, admin"));
      if (entry->contains("prefix") && !(*entry)["prefix"].is_string())
        throw wrong("prefix: is no text");
      Token token{member("name"),
                  member("sha256"),
                  *role,
                  member("prefix"),
                  (*entry)["made"].value_or(std::int64_t{0}),
                  (*entry)["changes"].value_or(std::uint32_t{0})};
      if (const auto checked = check_token(token); !checked) throw wrong(checked.error().message);
      tokens.push_back(std::move(token));
    }
  } catch (const toml::parse_error& error) {
    throw std::runtime_error(text("table of tokens ", path, ": line ", error.source().begin.line,
                                  ": ", error.description()));
  }
  return tokens;
}

bool is_meant(const Token& token, std::string_view name, std::string_view within) {
  return token.name == name && token.prefix.starts_with(within);
}

}  // namespace

std::string make_token(const std::function<std::uint64_t()>& random) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    const auto bits = random();
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((bits >> shift) & 255);
  }
  return text("eole_", hex(bytes));
}

Expected<Role> parse_token_role(std::string_view name) {
  const auto role = parse_role(name);
  if (role == Role::kObserve || role == Role::kSubmit || role == Role::kAdmin) return *role;
  return Error{text("role ", shown(name), ": one of observe, submit, admin")};
}

Expected<void> check_token(const Token& token) {
  if (!is_name(token.name))
    return Error{text("name ", token.name, ": letters, digits, - and _, ", kTokenNameBytesMax,
                      " at most, are a name")};
  if (!is_sha256(token.sha256)) return Error{text(token.name, ": sha256: 64 lower-case letters")};
  if (const auto role = parse_token_role(to_text(token.role)); !role) return role.error();
  if (token.prefix.empty()) return {};
  if (!is_utf8(token.prefix)) return Error{text("prefix ", token.prefix, ": is not UTF-8 text")};
  if (const auto within = Within::parse(token.prefix); !within) return within.error();
  return {};
}

void TokenTable::refresh() {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) {
    if (errno != ENOENT)
      throw std::runtime_error(text("table of tokens ", path_, ": ", std::strerror(errno)));
    changes_ += !tokens_.empty();
    tokens_.clear();
    seen_ = {-1, 0, 0};
    return;
  }
  const std::array<std::int64_t, 3> seen{
      status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec,
      static_cast<std::int64_t>(status.st_ino), status.st_size};
  if ((status.st_mode & 0077) != 0) {
    seen_ = {-1, 0, 0};
    throw std::runtime_error(
        text("table of tokens ", path_, ": others can read it, chmod it to 0600"));
  }
  if (seen == seen_) return;
  seen_ = {-1, 0, 0};  // Of one that makes no sense nothing is kept.
  tokens_.clear();
  ++changes_;
  tokens_ = read(path_);
  seen_ = seen;
}

const std::vector<Token>& TokenTable::tokens() {
  refresh();
  return tokens_;
}

Expected<void> TokenTable::add(const Token& token) {
  if (auto checked = check_token(token); !checked) return checked;
  const Lock lock(path_);
  auto all = tokens();
  if (std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.name == token.name; }))
    return Error{text("token ", token.name, ": there is one of that name; revoke it first")};
  if (all.size() >= kTokensMax) return Error{text(all.size(), " tokens, limit ", kTokensMax)};
  all.push_back(token);
  write(all);
  return {};
}

Expected<void> TokenTable::remove(std::string_view name, std::string_view within) {
  const Lock lock(path_);
  auto all = tokens();
  if (std::erase_if(all, [&](const auto& one) { return is_meant(one, name, within); }) == 0)
    return Error{text("token ", name, ": there is none")};
  write(all);
  return {};
}

// What its holder shows stays as it is: sessions go on, and may what this role may.
Expected<Token> TokenTable::set_role(std::string_view name, Role role, std::string_view within) {
  const Lock lock(path_);
  auto all = tokens();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& one) { return is_meant(one, name, within); });
  if (found == all.end()) return Error{text("token ", name, ": there is none")};
  found->changes += std::exchange(found->role, role) != role;
  if (const auto checked = check_token(*found); !checked) return checked.error();
  write(all);
  return *found;
}

void TokenTable::write(const std::vector<Token>& tokens) const {
  const OwnFiles own;
  toml::array list;
  for (const auto& token : tokens) {
    toml::table entry{{"name", token.name},
                      {"sha256", token.sha256},
                      {"role", std::string(to_text(token.role))},
                      {"made", token.made_unix_ms}};
    if (token.changes != 0) entry.insert("changes", std::int64_t{token.changes});
    if (!token.prefix.empty()) entry.insert("prefix", token.prefix);
    list.push_back(std::move(entry));
  }
  std::ostringstream out;
  out << toml::table{{"token", std::move(list)}} << "\n";
  write_private_file(path_, out.str());
}

}  // namespace eole::net
