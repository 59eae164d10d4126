#pragma once
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "common/net/router.hpp"
#include "common/net/socket.hpp"
#include "common/protocol/hand_messages.hpp"
#include "sink/io/artifacts.hpp"

namespace eole::sink {

/// Takes and gives artifacts, one piece a message.
class ArtifactDesk {
 public:
  /// `socket`: bound already. `path`: of the shelf's directory, where others on this machine may
  /// link files; empty: nobody may. `syncs_at_once`: as the store says. All of them outlive it.
  ArtifactDesk(net::Socket& socket, net::Authority& authority, ArtifactShelf& shelf,
               std::string path, std::size_t syncs_at_once = 1);
  /// Takes the next message; false if none waits, and then all are answered.
  bool answer_one();
  /// If no message waits: does a little of what the next ones will ask for; false: there is
  /// nothing.
  bool look_ahead() { return store_.look_ahead(); }
  /// Removes what is superfluous, a little now and then. Called often.
  void collect(TimePoint now);
  const ArtifactStore& store() const { return store_; }

 private:
  Expected<void> on(protocol::Put& put, const net::Sender& from);
  Expected<void> on(protocol::Get& get, const net::Sender& from);
  Expected<void> on(protocol::Hand& hand, const net::Sender& from);
  void answer(const std::string& peer, protocol::Message message, bool is_whole);
  void commit();
  struct Answer {
    std::string peer;
    protocol::Message message;
  };
  net::Socket& socket_;
  ArtifactStore store_;
  net::Router messages_;
  std::string path_;
  std::vector<Answer> unanswered_;  // Until their files are durable.
  std::size_t taken_since_ = 0;     // Messages, since the first of these.
  TimePoint next_collection_{};
};

}  // namespace eole::sink
