#pragma once
#include <map>
#include <string>
#include <vector>

#include "common/net/socket.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"
#include "tests/simulation/network.hpp"

namespace eole::simulation {

class Fabric;
class SimVentilator;
class SimSink;

/// Submits, repeats what is not answered, cancels, and remembers what it was promised.
class SimClient final : public Party {
 public:
  SimClient(Fabric& fabric, SimVentilator& ventilator, int number);
  void begin();
  void wake() override;
  bool is_done() const { return answered_ == wanted_; }
  const std::string& name() const override { return name_; }

 private:
  void on_accepted(Origin origin, const protocol::Acceptance& accepted);
  void send(std::uint64_t request);
  void submit_next();
  Fabric& fabric_;
  std::string name_;
  SimTransport transport_;
  net::Socket socket_;
  RunId run_;
  std::map<std::uint64_t, protocol::Submit> open_;
  std::map<std::uint64_t, std::vector<std::string>> bodies_;
  std::uint64_t wanted_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
};

/// Reads a log with a cursor, as any subscriber does: eagerly, slowly, or not any more.
class SimSubscriber final : public Party {
 public:
  enum class Pace { kEager, kSlow, kDead };
  SimSubscriber(Fabric& fabric, SimSink& sink, Pace pace, int number);
  void begin();
  const std::string& name() const override { return name_; }
  void wake() override;
  /// Has read all there is, or reads no more.
  bool is_up_to_date() const;

 private:
  void poll();
  void on_records(const protocol::Records& records);
  Fabric& fabric_;
  SimSink& sink_;
  Pace pace_;
  std::string name_;
  SimTransport transport_;
  net::Socket socket_;
  std::uint64_t offset_ = 0;
  std::uint32_t crc_ = 0;
  std::uint64_t log_ = 0;
};

}  // namespace eole::simulation
