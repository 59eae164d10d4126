
#include <atomic>
#include <cerrno>
#include <charconv>
#include <map>
#include <memory>
#include <stdexcept>
#include <zmq.hpp>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/net/bounds.hpp"
#include "common/net/context_state.hpp"
#include "common/net/ipc_place.hpp"
#include "common/net/transport.hpp"
#include "common/protocol/answer.hpp"

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace eole::net {

namespace {

constexpr int kEnforceDomain = 93;  // ZMQ_ZAP_ENFORCE_DOMAIN: a draft name, a working option.
constexpr int kHandshakeMs = 3000;
constexpr std::size_t kPeersCounted = 1024;  // Then those that hold nothing are forgotten.
constexpr int kLingerMs = 500;  // Nothing relies on it: whatever matters is sent again.

int zmq_type(SocketType type) {
  switch (type) {
    case SocketType::kPush:
      return ZMQ_PUSH;
    case SocketType::kPull:
      return ZMQ_PULL;
    case SocketType::kPub:
      return ZMQ_XPUB;  // As PUB, and tells what was subscribed to.
    case SocketType::kSub:
      return ZMQ_SUB;
    case SocketType::kDealer:
      return ZMQ_DEALER;
    case SocketType::kRouter:
      return ZMQ_ROUTER;
  }
  return -1;
}

struct PortRange {
  std::string place;  // With the colon.
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

// "tcp://10.0.0.1:5576-6570".
std::optional<PortRange> port_range(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  PortRange range{endpoint.substr(0, colon + 1), 0, 0};
  const auto* end = endpoint.data() + endpoint.size();
  const auto first = std::from_chars(endpoint.data() + colon + 1, end, range.first);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto last = std::from_chars(first.ptr + 1, end, range.last);
  if (last.ec != std::errc{} || last.ptr != end || range.last < range.first) return std::nullopt;
  return range;
}

// Another program may hold any of them; the next one serves as well.
void bind_in(const PortRange& range, zmq::socket_t& socket, std::uint32_t& next) {
  const auto count = range.last - range.first + 1;
  for (std::uint32_t tries = 0; tries < count; ++tries) {
    const auto endpoint = text(range.place, range.first + next++ % count);
    if (::zmq_bind(socket.handle(), endpoint.c_str()) == 0) return;
    if (::zmq_errno() != EADDRINUSE) throw zmq::error_t();
  }
  throw CannotBind(text("no port of ", range.place, range.first, "-", range.last, " is free"));
}

std::string user_of(zmq::message_t& frame) {
  try {
    return frame.gets("User-Id");
  } catch (const zmq::error_t&) {
    return {};  // No such property: ipc.
  }
}

bool has_properties(zmq::message_t& frame) {
  try {
    return frame.gets("Socket-Type") != nullptr;
  } catch (const zmq::error_t&) {
    return false;
  }
}

/// Where the bytes of a frame count: for its peer if there are many, for all that share a bound.
struct Gauges {
  Gauge own;
  Gauge all;
};

/// The bytes of a frame, counted as long as libzmq holds it.
class Counted {
 public:
  Counted(std::size_t bytes, Gauges gauges) : bytes_(bytes), gauges_(std::move(gauges)) {
    if (gauges_.own) *gauges_.own += bytes_;
    *gauges_.all += bytes_;
  }
  ~Counted() {
    if (gauges_.own) *gauges_.own -= bytes_;
    *gauges_.all -= bytes_;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t bytes_;
  Gauges gauges_;
};

class ZmqMonitor final : public Monitor::Carrier {
 public:
  ZmqMonitor(zmq::context_t& context, zmq::socket_t& watched);
  ~ZmqMonitor() override;
  ZmqMonitor(const ZmqMonitor&) = delete;
  ZmqMonitor& operator=(const ZmqMonitor&) = delete;
  int fd() const override { return socket_.get(zmq::sockopt::fd); }
  std::optional<ConnectionEvent> next() override;

 private:
  zmq::socket_t& watched_;
  zmq::socket_t socket_;
};

class ZmqSocket final : public Socket::Carrier {
 public:
  ZmqSocket(Context::State& context, SocketType type);
  std::string bind(const std::string& endpoint, const std::string& only_key) override;
  void connect(const std::string& endpoint, bool once) override;
  void subscribe(std::string_view prefix) override;
  void limit_queue(int messages) override;
  void limit_unread(int messages) override { unread_max_ = messages; }
  bool send(protocol::Message&& message) override;
  bool send(std::string_view address, protocol::Message&& message) override;
  bool send(const Bytes& head, std::shared_ptr<const Bytes> payload) override;
  bool has_room(std::size_t bytes) override;
  std::optional<Subscription> next_subscription() override;
  std::optional<Received> receive() override;
  bool wait(int milliseconds) override;
  int fd() const override { return socket_.get(zmq::sockopt::fd); }
  bool& due() override { return is_due_; }
  std::unique_ptr<Monitor::Carrier> watch() override {
    return std::make_unique<ZmqMonitor>(context_.context, socket_);
  }

 private:
  bool may_hold(std::size_t bytes, const Gauges& gauges) const;
  Gauges gauges() const;
  Gauges gauges_of(std::string_view peer);
  Context::State& context_;
  SocketType type_;
  zmq::socket_t socket_;
  Gauge unsent_ = std::make_shared<Gauge::element_type>(0);
  std::map<std::string, Gauge, std::less<>> unsent_to_;  // ROUTER: large frames by their peers.
  int unread_max_ = kUnreadMessagesMax;  // Of one peer, once it is bound.
  bool is_bound_ = false;
  bool is_due_ = true;  // A send may swallow the descriptor's edge, too.
};

ZmqSocket::ZmqSocket(Context::State& context, SocketType type)
    : context_(context), type_(type), socket_(context.context, zmq_type(type)) {
  auto& socket = socket_;
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  const auto frame_max =
      type == SocketType::kPub ? kSubscriptionBytesMax : protocol::kFrameBytesMax;
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_max));
  socket.set(zmq::sockopt::sndhwm, kUnsentMessagesMax);
  socket.set(zmq::sockopt::rcvhwm, 0);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, 10);
  socket.set(zmq::sockopt::reconnect_ivl, 50);
  socket.set(zmq::sockopt::reconnect_ivl_max, 500);
  socket.set(zmq::sockopt::backlog, 1024);
  socket.set(zmq::sockopt::ipv6, 1);
  if (type == SocketType::kRouter) socket.set(zmq::sockopt::router_mandatory, 1);
  if (type == SocketType::kPub) socket.set(zmq::sockopt::xpub_verbose, 1);
}

std::string ZmqSocket::bind(const std::string& endpoint, const std::string& only_key) {
  const auto& cluster = context_.cluster;
  const bool is_tcp = endpoint.starts_with("tcp://");
  if (is_tcp != cluster.is_encrypted())
    throw std::runtime_error(text("bind ", endpoint, ": only ipc without keys, or TCP with them"));
  try {
    if (is_tcp) {
      if (!context_.has_authority)
        throw std::runtime_error("bind: nobody would say who may connect");
      socket_.set(zmq::sockopt::curve_server, true);
      socket_.set(zmq::sockopt::curve_secretkey, cluster.keys.secret_key);
      socket_.set(zmq::sockopt::zap_domain, only_key.empty() ? kAnyKey : only_key);
      const int enforce = 1;
      if (::zmq_setsockopt(socket_.handle(), kEnforceDomain, &enforce, sizeof enforce) != 0)
        throw std::runtime_error("this libzmq cannot enforce its key check");
    }
    std::optional<IpcPlace> place;
    if (!is_tcp) place.emplace(endpoint.substr(endpoint.find("//") + 2));
    socket_.set(zmq::sockopt::rcvhwm, unread_max_);
    is_bound_ = true;
    if (const auto range = port_range(endpoint); is_tcp && range)
      bind_in(*range, socket_, context_.next_port);
    else
      socket_.bind(endpoint);
    return socket_.get(zmq::sockopt::last_endpoint);
  } catch (const zmq::error_t& error) {
    throw CannotBind(text("cannot bind ", endpoint, ": ", error.what()));
  }
}

void ZmqSocket::connect(const std::string& endpoint, bool once) {
  const auto& cluster = context_.cluster;
  try {
    if (cluster.is_encrypted()) {
      socket_.set(zmq::sockopt::curve_serverkey, cluster.server_key);
      socket_.set(zmq::sockopt::curve_publickey, cluster.keys.public_key);
      socket_.set(zmq::sockopt::curve_secretkey, cluster.keys.secret_key);
    } else if (!endpoint.starts_with("ipc://")) {
      throw std::runtime_error(text("connect ", endpoint, ": only ipc without keys"));
    }
    if (once) socket_.set(zmq::sockopt::reconnect_ivl, -1);
    socket_.connect(endpoint);
  } catch (const zmq::error_t& error) {
    throw std::runtime_error(text("cannot connect ", endpoint, ": ", error.what()));
  }
}

void ZmqSocket::subscribe(std::string_view prefix) {
  socket_.set(zmq::sockopt::subscribe, std::string(prefix));
}

void ZmqSocket::limit_queue(int messages) { socket_.set(zmq::sockopt::sndhwm, messages); }

bool send_frame(zmq::socket_t& socket, zmq::message_t frame, bool has_more) {
  const auto flags =
      has_more ? zmq::send_flags::sndmore | zmq::send_flags::dontwait : zmq::send_flags::dontwait;
  try {
    return socket.send(frame, flags).has_value();
  } catch (const zmq::error_t& error) {
    if (error.num() == EHOSTUNREACH || error.num() == EAGAIN || error.num() == EINTR) return false;
    throw std::runtime_error(text("cannot send: ", error.what()));
  }
}

zmq::message_t copy_of(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

// libzmq hands a frame to its own thread in a way that ThreadSanitizer does not see.
#ifdef __SANITIZE_THREAD__
void hand_over(void* what) { __tsan_release(what); }
void take_over(void* what) { __tsan_acquire(what); }
#else
void hand_over(void*) {}
void take_over(void*) {}
#endif

// A frame that keeps `owner` until libzmq has written it; `bytes` lie in what it owns.
template <class Owner>
zmq::message_t frame_of(Owner owner, std::string_view bytes, Gauges gauges) {
  struct Kept {
    Owner owner;
    Counted counted;
  };
  auto* kept = new Kept{std::move(owner), {bytes.size(), std::move(gauges)}};
  hand_over(kept);
  return {const_cast<char*>(bytes.data()), bytes.size(),
          [](void*, void* hint) {
            take_over(hint);
            delete static_cast<Kept*>(hint);
          },
          kept};
}

zmq::message_t frame_of(Bytes&& bytes, Gauges gauges) {
  if (bytes.size() <= kCopiedBytesMax) return copy_of(bytes);
  auto shared = std::make_shared<const Bytes>(std::move(bytes));
  const std::string_view view = *shared;
  return frame_of(std::move(shared), view, std::move(gauges));
}

// Small frames are bounded by the number of messages.
bool ZmqSocket::may_hold(std::size_t bytes, const Gauges& gauges) const {
  if (bytes <= kCopiedBytesMax || planted("unread-without-a-bound")) return true;
  const std::size_t own = gauges.own ? gauges.own->load() : 0;
  const std::size_t all = *gauges.all;
  if (type_ == SocketType::kPub) return all + bytes <= kPublishedBytesMax;
  if (type_ == SocketType::kRouter)
    return has_share(bytes, own, kUnsentBytesMax, all, kUnsentTotalBytesMax);
  if (is_bound_) return has_share(bytes, own, kPipeBytesMax, all, kPipesTotalBytesMax);
  return all + bytes <= kOutboundBytesMax;
}

Gauges ZmqSocket::gauges() const {
  if (type_ == SocketType::kPub || type_ == SocketType::kRouter) return {nullptr, unsent_};
  return {unsent_, is_bound_ ? context_.pipes : context_.outbound};
}

Gauges ZmqSocket::gauges_of(std::string_view peer) {
  if (type_ != SocketType::kRouter) return gauges();
  const auto known = unsent_to_.find(peer);
  if (known != unsent_to_.end()) return {known->second, unsent_};
  if (unsent_to_.size() >= kPeersCounted)
    std::erase_if(unsent_to_, [](const auto& entry) { return *entry.second == 0; });
  const auto made = std::make_shared<Gauge::element_type>(0);
  return {unsent_to_.emplace(peer, made).first->second, unsent_};
}

bool ZmqSocket::has_room(std::size_t bytes) {
  is_due_ = true;
  return may_hold(bytes, gauges()) && (socket_.get(zmq::sockopt::events) & ZMQ_POLLOUT) != 0;
}

// Also the end of a subscription that was another's, or never there, is passed on: then it has the
// properties of the connection that said so. What libzmq says itself has none.
std::optional<Subscription> ZmqSocket::next_subscription() {
  zmq::message_t frame;
  while (socket_.recv(frame, zmq::recv_flags::dontwait)) {
    const auto said = frame.to_string_view();
    if (said.empty() || (said[0] != 0 && said[0] != 1)) continue;
    Subscription subscription{std::string(said.substr(1)), said[0] == 0, {}};
    if (has_properties(frame)) subscription.user = user_of(frame);
    return subscription;
  }
  is_due_ = false;
  return std::nullopt;
}

// All frames go or none: only the first one can be refused.
bool ZmqSocket::send(protocol::Message&& message) {
  is_due_ = true;
  auto counted = gauges();
  return may_hold(message.payload.size(), counted) &&
         send_frame(socket_, copy_of(message.head), true) &&
         send_frame(socket_, frame_of(std::move(message.payload), std::move(counted)), false);
}
bool ZmqSocket::send(const Bytes& head, std::shared_ptr<const Bytes> payload) {
  is_due_ = true;
  const std::string_view view = *payload;
  auto counted = gauges();
  return may_hold(view.size(), counted) && send_frame(socket_, copy_of(head), true) &&
         send_frame(socket_,
                    view.size() <= kCopiedBytesMax
                        ? copy_of(view)
                        : frame_of(std::move(payload), view, std::move(counted)),
                    false);
}
bool ZmqSocket::send(std::string_view address, protocol::Message&& message) {
  is_due_ = true;
  const bool is_large = message.payload.size() > kCopiedBytesMax;
  auto counted = is_large ? gauges_of(address) : Gauges{};
  return may_hold(message.payload.size(), counted) && send_frame(socket_, copy_of(address), true) &&
         send_frame(socket_, copy_of(message.head), true) &&
         send_frame(socket_, frame_of(std::move(message.payload), std::move(counted)), false);
}

std::optional<Received> ZmqSocket::receive() {
  const bool has_prefix = type_ == SocketType::kRouter || type_ == SocketType::kSub;
  const std::size_t wanted = has_prefix ? 3 : 2;
  while (true) {
    Received received;
    std::size_t count = 0;
    bool has_more = true;
    while (has_more) {
      zmq::message_t frame;
      try {
        if (!socket_.recv(frame, zmq::recv_flags::dontwait)) {
          is_due_ = false;
          return std::nullopt;
        }
      } catch (const zmq::error_t& error) {
        if (error.num() == EINTR) return std::nullopt;
        throw std::runtime_error(text("cannot receive: ", error.what()));
      }
      has_more = frame.more();
      const auto place = has_prefix ? count : count + 1;
      ++count;
      if (place == 0) {
        auto& prefix = type_ == SocketType::kRouter ? received.peer : received.topic;
        prefix = frame.to_string();
      } else if (place == 1) {
        received.user = context_.cluster.is_encrypted() ? user_of(frame) : "";
        received.message.head = frame.to_string();
      } else if (place == 2) {
        received.message.payload = frame.to_string();
      }
    }
    // An event is published without a head, for whoever knows none.
    if (count == 2 && type_ == SocketType::kSub) {
      received.message.payload = std::exchange(received.message.head, {});
      return received;
    }
    if (count == wanted) return received;
  }
}

bool ZmqSocket::wait(int milliseconds) {
  zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
  try {
    return zmq::poll(&item, 1, std::chrono::milliseconds(milliseconds)) > 0;
  } catch (const zmq::error_t&) {
    return false;  // A signal.
  }
}

ZmqMonitor::ZmqMonitor(zmq::context_t& context, zmq::socket_t& watched) : watched_(watched) {
  static std::atomic<std::uint64_t> counter{0};
  const auto endpoint = text("inproc://monitor-", ++counter);
  constexpr int kEvents =
      ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  if (::zmq_socket_monitor(watched_.handle(), endpoint.c_str(), kEvents) != 0)
    throw std::runtime_error(text("cannot watch a connection: ", ::zmq_strerror(::zmq_errno())));
  socket_ = zmq::socket_t(context, ZMQ_PAIR);
  socket_.set(zmq::sockopt::linger, 0);
  socket_.connect(endpoint);
}

ZmqMonitor::~ZmqMonitor() {
  if (watched_.handle() != nullptr) ::zmq_socket_monitor(watched_.handle(), nullptr, 0);
}

std::optional<ConnectionEvent> ZmqMonitor::next() {
  while (true) {
    zmq::message_t event;
    if (!socket_.recv(event, zmq::recv_flags::dontwait)) return std::nullopt;
    zmq::message_t address;
    if (event.more()) (void)socket_.recv(address);
    if (event.size() < 2) continue;
    std::uint16_t kind = 0;
    std::memcpy(&kind, event.data(), sizeof kind);
    switch (kind) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        return ConnectionEvent::kUp;
      case ZMQ_EVENT_DISCONNECTED:
        return ConnectionEvent::kDown;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return ConnectionEvent::kRefused;
      default:  // It is tried again.
        continue;
    }
  }
}

}  // namespace

std::unique_ptr<Socket::Carrier> Context::open(SocketType type) {
  return std::make_unique<ZmqSocket>(*state_, type);
}

}  // namespace eole::net
