#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/peers/server.hpp"

/// Other systems doing the same work as `eole bench`: tasks of 100 bytes from one producer, two
/// workers that do nothing and hand in a result of 100 bytes, one collector. At least once at each
/// step: a worker acknowledges a task only after its result was confirmed.
namespace eole::peers {

constexpr std::size_t kBodyBytes = 100;
constexpr std::uint32_t kWindow = 1000;  // Unconfirmed messages of a producer.

/// One process's connection to a peer.
class Peer {
 public:
  virtual ~Peer() = default;
  /// Returns once all are confirmed.
  virtual void submit(std::uint64_t count) = 0;
  /// Serves for ever, `batch` tasks at a time.
  virtual void work(std::uint32_t batch) = 0;
  /// Returns once it has so many results.
  virtual void collect(std::uint64_t count) = 0;
};

struct Setting {
  std::string name;
  std::unique_ptr<Peer> (*open)(const std::string& mode);
  std::string mode;
};

std::unique_ptr<Peer> open_redis(const std::string& mode);   // lists, streams
std::unique_ptr<Peer> open_rabbit(const std::string& mode);  // classic, quorum
std::unique_ptr<Peer> open_nats(const std::string& mode);    // jetstream, core
std::unique_ptr<Peer> open_beanstalk(const std::string& mode);
std::unique_ptr<Peer> open_gearman(const std::string& mode);

}  // namespace eole::peers
