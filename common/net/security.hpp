#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/base/within.hpp"

namespace eole::net {

/// A CURVE key pair, each half as 40 letters of Z85.
struct KeyPair {
  std::string public_key;
  std::string secret_key;
  bool operator==(const KeyPair&) const = default;
};
KeyPair make_key_pair();

/// What a key may do. A process has one or more of them.
enum class Role : std::uint8_t { kSubmit, kWork, kSettle, kObserve, kAdmin };
std::string_view to_text(Role role);
std::optional<Role> parse_role(std::string_view name);

/// The cluster's table of keys: who may connect, and who may say what. Read from a TOML file of
/// mode 0600, again whenever it changes, so that a removed key is refused from its next message.
/// Without a file (ipc only) everything is allowed: the directory's mode is the gate. A table that
/// cannot be relied on (removed, malformed, open to others) lets nobody in any more. Thread-safe.
class Authority {
 public:
  Authority() = default;
  /// `server_key`: the cluster's own public key; it may do what a ventilator does. Throws
  /// std::runtime_error if the table cannot be relied on.
  Authority(std::string path, std::string server_key);

  bool is_open() const { return path_.empty(); }
  /// May this key connect at all?
  bool knows(const std::string& public_key);
  /// May the sender of a message do this? `user` is the message's User-Id (its public key).
  bool allows(const std::string& user, Role role);
  /// The projects that exist for the sender of a message: all, unless its key is bound to a prefix.
  /// Of a key that is not known any more none does.
  Within within(const std::string& user);
  /// Looks at the table; how often a key or a role was taken away. Connections of such a key may
  /// still stand. Throws std::runtime_error if the table cannot be relied on any more: to go on
  /// with the keys of before would be to ignore a revocation.
  std::uint64_t revocations();

 private:
  struct Key {
    std::set<Role> roles;
    Within within;
    /// Whoever has this one may do all that who has the other may.
    bool covers(const Key& other) const;
  };
  using Table = std::map<std::string, Key>;
  void refresh();
  void look_once_a_second();
  void load();
  Table read() const;
  std::string path_;
  std::string server_key_;
  std::mutex mutex_;
  Table table_;
  std::string problem_;
  std::uint64_t revocations_ = 0;
  std::array<std::int64_t, 3> loaded_{};  // The file's time, number and size.
  std::int64_t checked_ = 0;
};

/// `name`, or with a number behind it if the table at `path` has a key of that name.
std::string free_key_name(const std::string& path, const std::string& name);
/// Of what a key may do that is bound to a prefix: others see all projects, and must.
bool is_for_bound(Role role);
/// Adds a key to the table at `path` (made with mode 0600 if it is not there).
void authorize(const std::string& path, const std::string& public_key, const std::string& name,
               const std::set<Role>& roles, const Within& within = {});

}  // namespace eole::net
