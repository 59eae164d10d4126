#pragma once
#include <optional>
#include <string>

#include "clients/cpp/session/asks.hpp"
#include "clients/cpp/session/group_member.hpp"
#include "clients/cpp/session/group_pieces.hpp"
#include "tests/simulation/process.hpp"

namespace eole::simulation {

class SimSink;

/// One of the group that reads a log. It hands out a few records a turn, commits now and then, and
/// as long as faults come it falls silent, leaves or dies in the middle of that.
class SimMember final : public Process {
 public:
  SimMember(Fabric& fabric, SimSink& sink, int number);

 private:
  void boot() override;
  std::optional<TimePoint> turn() override;
  void die() override;
  void create();
  void join();
  void read();
  void move();
  void remove_one();

  SimSink& sink_;
  int life_ = 0;
  std::optional<SimTransport> transport_;
  std::optional<client::Session> session_;
  std::optional<client::Asks> asks_;
  std::optional<client::GroupPieces> pieces_;
  std::optional<client::GroupMember> member_;
  bool starts_again_ = false;
  bool is_leaving_ = false;
};

}  // namespace eole::simulation
