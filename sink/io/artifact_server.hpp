#pragma once
#include <atomic>
#include <string>
#include <thread>

#include "common/net/socket.hpp"
#include "sink/io/artifact_shelf.hpp"

namespace eole::sink {

/// Serves the artifact store on a socket and in a thread of its own: megabytes to write and to
/// sync must not hold up results. Ends the process if the disk fails.
class ArtifactServer {
 public:
  /// `path`: of the shelf's directory. Throws if it cannot listen.
  ArtifactServer(net::Context& context, net::Authority& authority, const std::string& endpoint,
                 ArtifactShelf& shelf, const std::string& path);
  ~ArtifactServer();
  ArtifactServer(const ArtifactServer&) = delete;
  ArtifactServer& operator=(const ArtifactServer&) = delete;

 private:
  void serve(net::Socket socket, net::Authority& authority, ArtifactShelf& shelf,
             const std::string& path);
  std::atomic<bool> should_stop_{false};
  std::thread thread_;
};

}  // namespace eole::sink
