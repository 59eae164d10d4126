#pragma once
#include <string>

#include "common/base/ids.hpp"
#include "common/storage/disk.hpp"

namespace eole::ventilator {

/// Whose journal a directory had, written down beside it: an emptied one, or an empty volume
/// mounted over it, must not pass for a new journal while accepted tasks are gone.
class Identity {
 public:
  /// data: the journal's directory. begins_anew: a person says that its tasks are given up.
  Identity(std::string data, bool begins_anew);
  /// Before the journal is opened. Throws StorageFailure if there was one, and is none any more.
  void require_journal(const storage::Directory& directory) const;
  /// Once it is open. Throws StorageFailure if it is another one than was here.
  void keep(Origin origin) const;

 private:
  void write(const std::string& origin) const;
  std::string data_;
  std::string path_;
  bool begins_anew_;
  std::string known_;  // The origin that was here; empty: none.
};

}  // namespace eole::ventilator
