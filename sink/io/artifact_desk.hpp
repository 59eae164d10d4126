#pragma once
#include "common/base/time.hpp"
#include "common/net/router.hpp"
#include "common/net/socket.hpp"
#include "sink/io/artifacts.hpp"

namespace eole::sink {

/// Takes and gives artifacts, one piece a message.
class ArtifactDesk {
 public:
  /// `socket`: bound already. All of them outlive it.
  ArtifactDesk(net::Socket& socket, net::Authority& authority, ArtifactShelf& shelf);
  /// Answers the next message; false if none waits.
  bool answer_one();
  /// Removes what is superfluous, a little now and then. Called often.
  void collect(TimePoint now);
  const ArtifactStore& store() const { return store_; }

 private:
  Expected<void> on(protocol::Put& put, const net::Sender& from);
  Expected<void> on(protocol::Get& get, const net::Sender& from);
  net::Socket& socket_;
  ArtifactStore store_;
  net::Router messages_;
  TimePoint next_collection_{};
};

}  // namespace eole::sink
