#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "clients/cpp/core/hand.hpp"
#include "clients/cpp/core/transfer.hpp"
#include "clients/cpp/session/session.hpp"
#include "common/net/cluster_file.hpp"

namespace eole::client {

/// Artifacts on their way to the sink and from it, any number at once over one connection.
class Transfers final : public Part {
 public:
  Transfers(Session& session, const net::ClusterFile& cluster);

  using Id = std::uint32_t;
  /// `size` bytes from `offset` on, of what is sent.
  using Source = std::function<Expected<Bytes>(std::uint64_t offset, std::size_t size)>;
  /// Hears the pieces in order; an error ends the transfer with it.
  using OnPiece = std::function<Expected<void>(const TakePiece& piece)>;
  using OnEnd = std::function<void(Expected<void> outcome)>;

  /// Ends when the sink has all of it durably.
  Id put(const std::string& sha256, std::uint64_t size, Source source, OnEnd on_end);
  /// The bytes from `from` on, so many a piece. Their digest is the caller's to check.
  Id get(const std::string& sha256, std::uint64_t from, OnPiece on_piece, OnEnd on_end,
         std::uint32_t piece_bytes = GetCore::kPieceBytes);
  /// Hands over a file that was linked among the sink's as `file`; empty: asks where that is.
  using OnHanded = std::function<void(const Expected<protocol::Handed>& outcome)>;
  Id hand(const std::string& file, OnHanded on_end);
  /// So many of its bytes are there; with `is_last` these are all.
  void reach(Id id, std::uint64_t bytes, bool is_last);
  /// Forgets it (not from a callback of its own); nothing more is heard of it.
  void stop(Id id) {
    transfers_.erase(id);
    hands_.erase(id);
  }
  /// How many bytes of a put are in the sink; zero once it is over.
  std::uint64_t have(Id id) const;

 private:
  struct Transfer {
    std::variant<PutCore, GetCore> core;
    Source source;
    OnPiece on_piece;
    OnEnd on_end;
  };
  void turn(TimePoint now) override;
  bool is_due() const override { return sink_.is_due(); }
  std::optional<TimePoint> next_deadline() const override;
  void take(net::Received received, TimePoint now);
  void tell(Id id, TransferEvent event, TimePoint now);
  void refuse_all(const Error& why, TimePoint now);
  struct Handing {
    HandCore core;
    OnHanded on_end;
  };
  void turn_hands(TimePoint now);
  void perform(Id id, TransferActions actions, TimePoint now);
  void end(Id id, const Expected<void>& outcome);

  Connection sink_;
  Id last_ = 0;
  std::map<Id, Transfer> transfers_;
  std::map<Id, Handing> hands_;
};

}  // namespace eole::client
