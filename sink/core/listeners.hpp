#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace eole::sink {

/// Which events somebody hears, so that nobody pays for those that nobody does: the subscribed
/// prefixes of topics that begin with "json." or "event.". What connections say is not believed
/// where it would silence others. Pure.
class Listeners {
 public:
  static constexpr std::size_t kTopicsHeardMax = 1024;  // Of 1 KiB at most; beyond, all is wanted.

  /// Somebody wants topics with this prefix. `user`: his key; empty over ipc.
  void hear(std::string_view prefix, const std::string& user);
  /// A connection of `user` wants them no more: believed if no other key did. Nobody: libzmq says
  /// that the last connection which wanted them has ended.
  void leave(std::string_view prefix, const std::optional<std::string>& user);
  bool is_empty() const { return wishes_.empty() && !wants_all_; }
  bool wants(std::string_view topic) const;
  /// Bytes of all topics that were ever subscribed to.
  std::size_t topic_bytes() const { return topic_bytes_; }

 private:
  struct Wish {
    std::string user;
    bool is_shared = false;  // Other keys wanted it, too.
  };
  std::map<std::string, Wish, std::less<>> wishes_;
  bool wants_all_ = false;
  std::size_t topic_bytes_ = 0;
};

}  // namespace eole::sink
