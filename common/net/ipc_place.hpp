#pragma once
#include <string>

namespace eole::net {

/// Whether a process listens at this path of an ipc address.
bool is_listened_at(const std::string& path);

/// The place of an ipc address, while it is bound: libzmq takes over whatever is there, so nobody
/// else binds in its directory meanwhile, and nobody listens there already.
class IpcPlace {
 public:
  /// Throws CannotBind (socket.hpp).
  explicit IpcPlace(const std::string& path);
  ~IpcPlace();
  IpcPlace(const IpcPlace&) = delete;
  IpcPlace& operator=(const IpcPlace&) = delete;

 private:
  int directory_;
};

}  // namespace eole::net
