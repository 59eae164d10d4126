#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "common/base/text.hpp"
#include "common/net/context_state.hpp"

namespace eole::net {

namespace {

constexpr const char* kZapEndpoint = "inproc://zeromq.zap.01";
constexpr const char* kStopEndpoint = "inproc://eole-zap-stop";
constexpr int kSocketsMax = 65536;

// Answers every connection attempt: RFC 27 (ZAP). One request: version, request id, domain,
// address, identity, mechanism, and for CURVE the client's 32-byte key.
void answer_zap(zmq::socket_t& zap, Authority& authority) {
  std::vector<std::string> frames;
  bool has_more = true;
  while (has_more) {
    zmq::message_t frame;
    if (!zap.recv(frame)) return;
    has_more = frame.more();
    frames.push_back(frame.to_string());
  }
  if (frames.size() < 6) return;
  std::string user;
  bool is_allowed = false;
  if (frames[5] == "CURVE" && frames.size() == 7 && frames[6].size() == 32) {
    char key[41] = {};
    ::zmq_z85_encode(key, reinterpret_cast<const std::uint8_t*>(frames[6].data()), 32);
    user = key;
    is_allowed =
        authority.knows(user) && (frames[2] == kAnyKey || frames[2] == user ||
                                  (frames[2] == kUnboundKeys && authority.within(user).is_all()));
  }
  const std::string status = is_allowed ? "200" : "400";
  const std::string reason = is_allowed ? "OK" : "this key may not connect here";
  if (!is_allowed) user.clear();
  for (const std::string_view part :
       {std::string_view(frames[0]), std::string_view(frames[1]), std::string_view(status),
        std::string_view(reason), std::string_view(user)})
    zap.send(zmq::buffer(part), zmq::send_flags::sndmore);
  zap.send(zmq::buffer(std::string()), zmq::send_flags::none);
}

void run_zap(zmq::socket_t zap, zmq::socket_t stop, Authority& authority) {
  zmq::pollitem_t items[] = {{zap.handle(), 0, ZMQ_POLLIN, 0}, {stop.handle(), 0, ZMQ_POLLIN, 0}};
  while (true) {
    try {
      zmq::poll(items, 2, std::chrono::milliseconds(-1));
      if ((items[1].revents & ZMQ_POLLIN) != 0) return;
      if ((items[0].revents & ZMQ_POLLIN) != 0) answer_zap(zap, authority);
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) return;  // The check ends; enforced domains then refuse everyone.
    }
  }
}

// A key that nobody knows must be refused, before anyone else is let in.
void prove_strangers_are_refused(Context& context) {
  auto& state = context.state();
  Socket server(context, SocketType::kPull);
  const auto endpoint = server.bind("tcp://127.0.0.1:*");
  const auto own = state.cluster.keys;
  state.cluster.keys = make_key_pair();
  Socket stranger(context, SocketType::kPush);
  Monitor monitor(stranger);
  stranger.connect(endpoint);
  state.cluster.keys = own;
  zmq::pollitem_t item{nullptr, monitor.fd(), ZMQ_POLLIN, 0};
  for (int tries = 0; tries < 100; ++tries) {
    if (const auto event = monitor.next()) {
      if (*event == ConnectionEvent::kRefused) return;
      throw std::runtime_error("self-test: a stranger's key was let in; refusing to start");
    }
    zmq::poll(&item, 1, std::chrono::milliseconds(50));
  }
  throw std::runtime_error("self-test: no answer to a stranger's key; refusing to start");
}

}  // namespace

Context::Context(const ClusterFile& cluster) : state_(std::make_unique<State>()) {
  state_->cluster = cluster;
  state_->next_port = static_cast<std::uint32_t>(::getpid());  // A new start begins elsewhere.
  state_->context.set(zmq::ctxopt::max_sockets, kSocketsMax);
}

Context::Context(const ClusterFile& cluster, Authority& authority) : Context(cluster) {
  if (!cluster.is_encrypted()) return;
  zmq::socket_t zap(state_->context, ZMQ_REP);
  zap.set(zmq::sockopt::linger, 0);
  zap.bind(kZapEndpoint);
  zmq::socket_t stop(state_->context, ZMQ_PAIR);
  stop.bind(kStopEndpoint);
  state_->stop_zap = zmq::socket_t(state_->context, ZMQ_PAIR);
  state_->stop_zap.connect(kStopEndpoint);
  state_->zap = std::thread(run_zap, std::move(zap), std::move(stop), std::ref(authority));
  state_->has_authority = true;
  prove_strangers_are_refused(*this);
}

Context::~Context() {
  if (!state_->zap.joinable()) return;
  try {
    state_->stop_zap.send(zmq::buffer(std::string("stop")), zmq::send_flags::dontwait);
    state_->stop_zap.close();
  } catch (const zmq::error_t&) {  // The thread has ended already.
  }
  state_->zap.join();
}

}  // namespace eole::net
