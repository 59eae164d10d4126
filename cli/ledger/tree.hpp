#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eole::cli::ledger {

/// The files of one directory, by their paths in it. No link below it is followed: what another
/// has pushed leads nowhere else. Throws Failure where something cannot be done.
class Tree {
 public:
  /// Of a repository that is there.
  explicit Tree(std::string root);
  ~Tree();
  Tree(Tree&& other) noexcept;
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  /// Whole or not at all; nothing is written if it is so already. What is missing above is made.
  void write(const std::string& path, std::string_view content) const;
  /// It may be gone already.
  void remove(const std::string& path) const;
  std::optional<std::string> read(const std::string& path) const;
  /// Names of the files in a folder, in order; none if it is not there.
  std::vector<std::string> files(const std::string& folder) const;
  /// All files below, by their paths, in no order.
  void each_file(const std::function<void(const std::string& path)>& on_file) const;

 private:
  std::string root_;
  int fd_;
};

}  // namespace eole::cli::ledger
