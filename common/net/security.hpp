#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

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
/// Without a file (ipc only) everything is allowed: the directory's mode is the gate. Thread-safe.
class Authority {
 public:
  Authority() = default;
  /// `server_key`: the cluster's own public key; it may do what a ventilator does.
  Authority(std::string path, std::string server_key);

  bool is_open() const { return path_.empty(); }
  /// May this key connect at all?
  bool knows(const std::string& public_key);
  /// May the sender of a message do this? `user` is the message's User-Id (its public key).
  bool allows(const std::string& user, Role role);

 private:
  void refresh();
  void load();
  std::string path_;
  std::string server_key_;
  std::mutex mutex_;
  std::map<std::string, std::set<Role>> table_;
  std::int64_t loaded_mtime_ = -1;
  std::int64_t checked_ = 0;
};

/// Adds a key to the table at `path` (made with mode 0600 if it is not there).
void authorize(const std::string& path, const std::string& public_key, const std::string& name,
               const std::set<Role>& roles);

}  // namespace eole::net
