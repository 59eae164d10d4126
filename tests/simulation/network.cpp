#include "tests/simulation/network.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/protocol/answer.hpp"
#include "tests/simulation/fabric.hpp"

namespace eole::simulation {

namespace {

constexpr std::size_t kQueueMax = 256;  // Messages; what comes beyond is dropped, or not taken.
constexpr int kMonitorFds = 1 << 30;    // A socket's monitor has this more than the socket.

}  // namespace

std::string place(const std::string& party, const std::string& what) {
  return "sim://" + party + "/" + what;
}

// ---- Between sockets.

SimSocket* Network::find(SocketId id) const {
  return id < sockets_.size() ? sockets_[id] : nullptr;
}

// "sim://NAME/PLACE"
Network::PlaceId Network::place_of(const std::string& endpoint) {
  for (PlaceId id = 1; id < places_.size(); ++id)
    if (places_[id].endpoint == endpoint) return id;
  const auto begin = std::string_view("sim://").size();
  places_.push_back(
      {endpoint, endpoint.substr(begin, endpoint.find('/', begin) - begin), 0, {}, {}});
  return places_.size() - 1;
}

std::string Network::name_of(SocketId id) const {
  const auto* socket = find(id);
  return socket == nullptr ? "" : socket->transport_.party().name();
}

bool Network::send(const SimSocket& from, const protocol::Message& message) {
  const auto& place = places_[from.connected_];
  const auto* bound = find(place.bound);
  if (bound != nullptr && bound->is_full()) return false;
  const auto packet = std::make_shared<Packet>(
      Packet{from.id_, from.connected_, {std::to_string(from.id_), "", "", message}});
  fabric_.send(from.transport_.party().name(), place.party, [this, packet] { arrive(packet); });
  return true;
}

void Network::arrive(std::shared_ptr<Packet> packet) {
  auto& place = places_[packet->to];
  if (auto* bound = find(place.bound)) {
    auto received = packet->received;
    if (bound->type_ != net::SocketType::kRouter) received.peer.clear();
    return bound->take(std::move(received));
  }
  // Its peer is down. It waits, unless it was on its way already.
  if (fabric_.world.chance(0.5)) place.waiting.push_back(std::move(packet));
}

// What waits with its sender keeps its order, and is gone with it.
void Network::on_bound(PlaceId place) {
  for (auto& packet : std::exchange(places_[place].waiting, {}))
    if (find(packet->from) != nullptr) arrive(std::move(packet));
}

bool Network::send_to(const SimSocket& from, SocketId to, net::Received received) {
  const auto* socket = find(to);
  if (socket == nullptr || socket->is_full()) return false;
  auto shared = std::make_shared<net::Received>(std::move(received));
  fabric_.send(from.transport_.party().name(), socket->transport_.party().name(),
               [this, to, shared] {
                 if (auto* alive = find(to)) alive->take(net::Received(*shared));
               });
  return true;
}

// ---- Pipes.

void Network::open_pipe(const SimSocket& receiver) {
  const auto when =
      fabric_.arrival(receiver.transport_.party().name(), places_[receiver.connected_].party);
  fabric_.world.at(when, [this, id = receiver.id_, place = receiver.connected_] {
    const auto sender = places_[place].bound;
    if (sender == 0 || find(id) == nullptr) return;
    pipes_[id] = {sender, false, {}};
    tell(id, net::ConnectionEvent::kUp, fabric_.world.now());
    tell(sender, net::ConnectionEvent::kUp, fabric_.world.now());
  });
}

bool Network::send_on_pipe(const SimSocket& from, const protocol::Message& message) {
  for (auto& [receiver, pipe] : pipes_) {
    if (pipe.sender != from.id_) continue;
    pipe.last_arrives =
        std::max(pipe.last_arrives, fabric_.arrival(name_of(pipe.sender), name_of(receiver)));
    fabric_.world.at(pipe.last_arrives,
                     [this, to = receiver, sender = from.id_,
                      shared = std::make_shared<const protocol::Message>(message)] {
                       const auto found = pipes_.find(to);
                       if (found == pipes_.end() || found->second.sender != sender) return;
                       if (!found->second.is_broken) find(to)->take({"", "", "", *shared});
                     });
    return true;
  }
  return false;
}

void Network::tell(SocketId socket, net::ConnectionEvent event, TimePoint when) {
  fabric_.world.at(when, [this, socket, event] {
    auto* alive = find(socket);
    if (alive == nullptr) return;
    alive->events_.push_back(event);
    alive->transport_.wake(alive->fd() + kMonitorFds);
  });
}

void Network::break_pipe(const std::string& receiver, bool is_noticed) {
  const auto found = std::find_if(pipes_.begin(), pipes_.end(), [&](const auto& entry) {
    return name_of(entry.first) == receiver && !entry.second.is_broken;
  });
  if (found == pipes_.end()) return;
  tell(found->first, net::ConnectionEvent::kDown, fabric_.world.now());
  found->second.is_broken = true;
  if (!is_noticed) return;
  tell(found->second.sender, net::ConnectionEvent::kDown, fabric_.world.now());
  pipes_.erase(found);
}

// The other end sees it, mostly.
void Network::end_pipes_of(const SimSocket& socket) {
  for (auto at = pipes_.begin(); at != pipes_.end();) {
    const auto [receiver, pipe] = *at;
    if (pipe.sender != socket.id_ && receiver != socket.id_) {
      ++at;
      continue;
    }
    at = pipes_.erase(at);
    if (pipe.is_broken || (fabric_.is_rough() && fabric_.world.chance(0.2))) continue;
    const auto other = pipe.sender == socket.id_ ? receiver : pipe.sender;
    tell(other, net::ConnectionEvent::kDown,
         fabric_.arrival(socket.transport_.party().name(), name_of(other)));
  }
}

// ---- One transport.

net::Socket SimTransport::open(net::SocketType type) {
  return net::Socket(std::make_unique<SimSocket>(fabric_, *this, type));
}
TimePoint SimTransport::now() const { return fabric_.world.now(); }
std::int64_t SimTransport::unix_ms() const { return fabric_.world.wall_ms(); }
std::uint64_t SimTransport::random() { return fabric_.world.draw(); }

void SimTransport::wake(int fd) {
  const auto found = watched_.find(fd);
  if (found != watched_.end()) *found->second = true;
  party_.wake();
}

// ---- One socket.

class SimMonitor final : public net::Monitor::Carrier {
 public:
  explicit SimMonitor(SimSocket& socket) : socket_(socket) {}
  int fd() const override { return socket_.fd() + kMonitorFds; }
  std::optional<net::ConnectionEvent> next() override {
    if (socket_.events_.empty()) return std::nullopt;
    const auto event = socket_.events_.front();
    socket_.events_.pop_front();
    return event;
  }

 private:
  SimSocket& socket_;
};

SimSocket::SimSocket(Fabric& fabric, SimTransport& transport, net::SocketType type)
    : fabric_(fabric), transport_(transport), type_(type), id_(fabric.network.sockets_.size()) {
  fabric_.network.sockets_.push_back(this);
}

SimSocket::~SimSocket() {
  auto& network = fabric_.network;
  if (type_ == net::SocketType::kPush || type_ == net::SocketType::kPull)
    network.end_pipes_of(*this);
  network.places_[connected_].subscribers.erase(id_);
  if (bound_ != 0) network.places_[bound_].bound = 0;
  network.sockets_[id_] = nullptr;
}

std::unique_ptr<net::Monitor::Carrier> SimSocket::watch() {
  return std::make_unique<SimMonitor>(*this);
}

std::string SimSocket::bind(const std::string& endpoint, const std::string&) {
  bound_ = fabric_.network.place_of(endpoint);
  if (std::exchange(fabric_.network.places_[bound_].bound, id_) != 0)
    throw Violation{text(transport_.party().name(), " takes ", endpoint, " from another")};
  fabric_.network.on_bound(bound_);
  return endpoint;
}

void SimSocket::connect(const std::string& endpoint, bool once) {
  auto& network = fabric_.network;
  connected_ = network.place_of(endpoint);
  if (type_ == net::SocketType::kSub) network.places_[connected_].subscribers.insert(id_);
  if (once) network.open_pipe(*this);
}

bool SimSocket::sent(bool is_taken, const protocol::Message& message, std::string_view to) {
  if (!is_taken) return false;
  const auto& party = transport_.party().name();
  const auto head = protocol::HeadReader::parse(message.head);
  if (!head) throw Violation{text(party, " sent a malformed head")};
  if (message.payload.size() > protocol::kFrameBytesMax)
    throw Violation{text(party, " sent a message that nobody can take: ", head->name(), " of ",
                         message.payload.size(), " bytes")};
  fabric_.world.trace(text(party, " -> ", to, " ", head->name()));
  transport_.party().on_sent(*head, message);
  return true;
}

bool SimSocket::send(protocol::Message&& message) {
  auto& network = fabric_.network;
  if (connected_ == 0)
    return sent(network.send_on_pipe(*this, message), message, network.places_[bound_].endpoint);
  return sent(network.send(*this, message), message, network.places_[connected_].endpoint);
}

bool SimSocket::send(const Bytes& head, std::shared_ptr<const Bytes> payload) {
  return send({head, *payload});
}

bool SimSocket::send(std::string_view address, protocol::Message&& message) {
  auto& network = fabric_.network;
  if (type_ == net::SocketType::kRouter) {
    const auto to = std::stoull(std::string(address));
    return sent(network.send_to(*this, to, {"", "", "", message}), message, network.name_of(to));
  }
  for (const auto id : network.places_[bound_].subscribers)
    if (network.find(id)->wants(address))
      network.send_to(*this, id, {"", std::string(address), "", message});
  return sent(true, message, address);
}

std::optional<net::Received> SimSocket::receive() {
  if (inbox_.empty()) {
    is_due_ = false;
    return std::nullopt;
  }
  auto received = std::move(inbox_.front());
  inbox_.pop_front();
  return received;
}

void SimSocket::take(net::Received received) {
  inbox_.push_back(std::move(received));
  is_due_ = true;
  transport_.party().wake();
}

// A pipe; now and then its worker reads slowly.
bool SimSocket::has_room(std::size_t) {
  const auto& pipes = fabric_.network.pipes_;
  return fabric_.world.chance(0.8) &&
         std::any_of(pipes.begin(), pipes.end(),
                     [&](const auto& pipe) { return pipe.second.sender == id_; });
}

bool SimSocket::is_full() const { return inbox_.size() >= kQueueMax; }

bool SimSocket::wants(std::string_view topic) const {
  return std::any_of(prefixes_.begin(), prefixes_.end(),
                     [&](const auto& prefix) { return topic.starts_with(prefix); });
}

}  // namespace eole::simulation
