#include "common/net/security.hpp"

#include <sys/stat.h>
#include <toml++/toml.h>

#include <array>
#include <ctime>
#include <stdexcept>
#include <zmq.hpp>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/net/private_file.hpp"

namespace eole::net {

namespace {
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
  load();
}

void Authority::load() {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return;
  const auto mtime = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
  if (mtime == loaded_mtime_) return;
  if ((status.st_mode & 0077) != 0)
    throw std::runtime_error(text("key table ", path_, ": others can read it, chmod it to 0600"));
  std::map<std::string, std::set<Role>> table;
  const auto file = toml::parse_file(path_);
  if (const auto* keys = file["key"].as_array()) {
    for (const auto& entry : *keys) {
      const auto* key = entry.as_table();
      if (key == nullptr) continue;
      auto& roles = table[(*key)["public"].value_or(std::string())];
      if (const auto* names = (*key)["roles"].as_array())
        for (const auto& name : *names)
          if (const auto role = parse_role(name.value_or(std::string_view()))) roles.insert(*role);
    }
  }
  table_ = std::move(table);
  loaded_mtime_ = mtime;
}

void Authority::refresh() {
  try {
    load();
  } catch (const std::exception&) {  // A half-written table: the old one holds until it is whole.
  }
}

bool Authority::knows(const std::string& public_key) {
  if (is_open() || planted("every-role-allowed")) return true;
  const std::scoped_lock lock(mutex_);
  refresh();  // Always: a client that is refused once does not come back.
  return public_key == server_key_ || table_.contains(public_key);
}

bool Authority::allows(const std::string& user, Role role) {
  if (is_open()) return true;
  const std::scoped_lock lock(mutex_);
  const auto second = static_cast<std::int64_t>(::time(nullptr));
  if (second != checked_) refresh();
  checked_ = second;
  if (user == server_key_) return true;
  const auto found = table_.find(user);
  if (found == table_.end()) return false;
  const auto& roles = found->second;
  const bool is_person = role == Role::kSubmit || role == Role::kObserve;
  if (is_person && roles.contains(Role::kAdmin)) return true;
  if (role == Role::kObserve && roles.contains(Role::kSubmit)) return true;
  return roles.contains(role);
}

void authorize(const std::string& path, const std::string& public_key, const std::string& name,
               const std::set<Role>& roles) {
  toml::table file;
  if (::access(path.c_str(), F_OK) == 0) file = toml::parse_file(path);
  if (!file.contains("key")) file.insert("key", toml::array{});
  toml::array names;
  for (const auto role : roles) names.push_back(std::string(to_text(role)));
  file["key"].as_array()->push_back(
      toml::table{{"public", public_key}, {"name", name}, {"roles", names}});
  std::ostringstream out;
  out << file << "\n";
  write_private_file(path, out.str());
}

}  // namespace eole::net
