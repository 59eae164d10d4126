#pragma once
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "worker/command/command.hpp"
#include "worker/command/settings.hpp"

namespace eole::command {

/// Puts commands into what the settings say. One process's; one command at a time.
class Sandbox {
 public:
  explicit Sandbox(Settings settings);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  const Settings& settings() const { return settings_; }
  bool is_box() const { return settings_.level == Level::kBox; }
  /// Of the machine a box shows the system, the attempt's own `directory`, and what is `shown`. Who
  /// wants to run elsewhere finds the directory under that name.
  Expected<void> wrap(Command& command, const std::string& directory,
                      const std::vector<std::string>& shown);

 private:
  Settings settings_;
  View view_;
  std::vector<sock_filter> filter_;
  BoxReport* report_ = nullptr;
  std::uint64_t wrapped_ = 0;
};

/// Limits of each process of a command. Called in a child that may not ask for memory.
void set_limits();

/// Whether a level works on this machine, for this user; an error says why it does not. A box is
/// tried in a directory of its own in `scratch`.
Expected<void> try_level(const Settings& settings, const std::string& scratch);

}  // namespace eole::command
