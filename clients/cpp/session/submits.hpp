#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "clients/cpp/core/submit.hpp"
#include "clients/cpp/session/session.hpp"
#include "common/net/cluster_file.hpp"

namespace eole::client {

/// Submits of tasks over one connection, many under way at once.
class Submits final : public Part {
 public:
  static constexpr Duration kPatience = 30s;

  /// Hears how each request ended, in any order.
  using OnEnd = std::function<void(const SubmitEnded& ended)>;
  /// `patience`: without any answer, before all that is under way is given up.
  Submits(Session& session, const net::ClusterFile& cluster, Duration patience, OnEnd on_end);

  /// While has_room(). `submit`: its key and count; `groups`: its payload. Returns the request's
  /// number.
  std::uint64_t submit(protocol::Submit submit, std::shared_ptr<const Bytes> groups);
  bool has_room() const { return core_.has_room(); }
  /// Every request has ended.
  bool is_idle() const { return core_.is_idle(); }

 private:
  void turn(TimePoint now) override;
  bool is_due() const override { return ventilator_.is_due() || is_monitor_due_; }
  std::optional<TimePoint> next_deadline() const override { return core_.next_deadline(); }
  void take(net::Received received, TimePoint now, SubmitActions& out);
  void perform(SubmitActions actions);

  SubmitCore core_;
  OnEnd on_end_;
  net::Socket ventilator_;
  net::Monitor monitor_;
  bool is_monitor_due_ = true;
  bool is_turned_away_ = false;  // For ever, as a Connection's.
};

}  // namespace eole::client
