#include "common/net/security.hpp"

#include <sys/stat.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <zmq.hpp>

#include "common/base/own_files.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/net/private_file.hpp"

namespace eole::net {

namespace {
constexpr std::size_t kKeyLetters = 40;
constexpr std::size_t kLongerThanAnyProject = 256;
constexpr std::array<std::pair<Role, std::string_view>, 5> kRoles{{{Role::kSubmit, "submit"},
                                                                   {Role::kWork, "work"},
                                                                   {Role::kSettle, "settle"},
                                                                   {Role::kObserve, "observe"},
                                                                   {Role::kAdmin, "admin"}}};
}  // namespace

KeyPair make_key_pair() {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  if (::zmq_curve_keypair(public_key.data(), secret_key.data()) != 0)
    throw std::runtime_error("this libzmq has no CURVE: encrypted TCP is not possible");
  return {public_key.data(), secret_key.data()};
}

std::string_view to_text(Role role) {
  for (const auto& [known, name] : kRoles)
    if (known == role) return name;
  return "?";
}

std::optional<Role> parse_role(std::string_view name) {
  for (const auto& [role, known] : kRoles)
    if (known == name) return role;
  return std::nullopt;
}

Authority::Authority(std::string path, std::string server_key)
    : path_(std::move(path)), server_key_(std::move(server_key)) {
  if (path_.empty()) throw std::runtime_error("cluster file: names no key_table");
  load();
}

void Authority::load() {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0)
    throw std::runtime_error(text("key table ", path_, ": ", std::strerror(errno)));
  if ((status.st_mode & 0077) != 0)
    throw std::runtime_error(text("key table ", path_, ": others can read it, chmod it to 0600"));
  const std::array<std::int64_t, 3> seen{
      status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec,
      static_cast<std::int64_t>(status.st_ino), status.st_size};
  if (seen == loaded_) return;
  auto table = read();
  const bool is_taken_away = std::any_of(table_.begin(), table_.end(), [&](const auto& entry) {
    const auto now = table.find(entry.first);
    return now == table.end() || !now->second.covers(entry.second);
  });
  if (is_taken_away) ++revocations_;
  table_ = std::move(table);
  loaded_ = seen;
}

bool Authority::Key::covers(const Key& other) const {
  return std::includes(roles.begin(), roles.end(), other.roles.begin(), other.roles.end()) &&
         other.within.prefix().starts_with(within.prefix());
}

Authority::Table Authority::read() const {
  const OwnFiles own;
  Table table;
  try {
    const auto file = toml::parse_file(path_);
    const auto* keys = file["key"].as_array();
    for (std::size_t i = 0; keys != nullptr && i < keys->size(); ++i) {
      const auto* key = (*keys)[i].as_table();
      const auto wrong = [&](std::string what) {
        return std::runtime_error(text("key table ", path_, ": key ", i + 1, ": ", what));
      };
      const auto name = key != nullptr ? (*key)["public"].value_or(std::string()) : std::string();
      if (name.size() != kKeyLetters)
        throw wrong(text("public: ", name.size(), " letters, a key has ", kKeyLetters));
      auto& [roles, within] = table[name];
      const auto* names = (*key)["roles"].as_array();
      for (std::size_t j = 0; names != nullptr && j < names->size(); ++j) {
        const auto written = (*names)[j].value_or(std::string());
        const auto role = parse_role(written);
        if (!role)
          throw wrong(text("role ", written, ": there are submit, work, settle, observe, admin"));
        roles.insert(*role);
      }
      if (!key->contains("prefix")) continue;
      const auto prefix = Within::parse((*key)["prefix"].value_or(std::string()));
      if (!prefix) throw wrong(prefix.error().message);
      within = *prefix;
      for (const auto role : roles)
        if (!is_for_bound(role))
          throw wrong(
              text("role ", to_text(role), ": a key with a prefix has submit, observe and admin"));
    }
  } catch (const toml::parse_error& error) {
    throw std::runtime_error(
        text("key table ", path_, ": line ", error.source().begin.line, ": ", error.description()));
  }
  return table;
}

void Authority::refresh() {
  if (!problem_.empty()) return;
  try {
    load();
  } catch (const std::exception& error) {  // Its node ends when it looks next.
    problem_ = error.what();
    table_.clear();
  }
}

std::uint64_t Authority::revocations() {
  if (is_open()) return 0;
  const std::scoped_lock lock(mutex_);
  refresh();
  if (!problem_.empty()) throw std::runtime_error(problem_);
  return revocations_;
}

bool Authority::knows(const std::string& public_key) {
  if (is_open() || planted("every-role-allowed")) return true;
  const std::scoped_lock lock(mutex_);
  refresh();  // Always: a client that is refused once does not come back.
  return public_key == server_key_ || table_.contains(public_key);
}

void Authority::look_once_a_second() {
  const auto second = static_cast<std::int64_t>(::time(nullptr));
  if (second != checked_) refresh();
  checked_ = second;
}

Within Authority::within(const std::string& user) {
  if (is_open()) return {};
  const std::scoped_lock lock(mutex_);
  look_once_a_second();
  if (user == server_key_) return {};
  const auto found = table_.find(user);
  return found == table_.end() ? Within(std::string(kLongerThanAnyProject, '/'))
                               : found->second.within;
}

bool Authority::allows(const std::string& user, Role role) {
  if (is_open()) return true;
  const std::scoped_lock lock(mutex_);
  look_once_a_second();
  if (user == server_key_) return true;
  const auto found = table_.find(user);
  if (found == table_.end()) return false;
  const auto& roles = found->second.roles;
  const bool is_person = role == Role::kSubmit || role == Role::kObserve;
  if (is_person && roles.contains(Role::kAdmin)) return true;
  if (role == Role::kObserve && roles.contains(Role::kSubmit)) return true;
  return roles.contains(role);
}

bool is_for_bound(Role role) {
  return role == Role::kSubmit || role == Role::kObserve || role == Role::kAdmin;
}

std::string free_key_name(const std::string& path, const std::string& name) {
  std::set<std::string> taken;
  const auto file = toml::parse_file(path);
  if (const auto* keys = file["key"].as_array())
    for (const auto& key : *keys)
      if (const auto* entry = key.as_table())
        taken.insert((*entry)["name"].value_or(std::string()));
  auto free = name;
  for (int number = 2; taken.contains(free); ++number) free = text(name, "-", number);
  return free;
}

void authorize(const std::string& path, const std::string& public_key, const std::string& name,
               const std::set<Role>& roles, const Within& within) {
  toml::table file;
  if (::access(path.c_str(), F_OK) == 0) file = toml::parse_file(path);
  if (!file.contains("key")) file.insert("key", toml::array{});
  toml::array names;
  for (const auto role : roles) names.push_back(std::string(to_text(role)));
  toml::table key{{"public", public_key}, {"name", name}, {"roles", names}};
  if (!within.is_all()) key.insert("prefix", within.prefix());
  file["key"].as_array()->push_back(std::move(key));
  std::ostringstream out;
  out << file << "\n";
  write_private_file(path, out.str());
}

}  // namespace eole::net
