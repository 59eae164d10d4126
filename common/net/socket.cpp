#include "common/net/socket.hpp"

#include "common/net/transport.hpp"

namespace eole::net {

Socket::Socket(std::unique_ptr<Carrier> carrier) : carrier_(std::move(carrier)) {}
Socket::Socket(Context& context, SocketType type) : Socket(context.open(type)) {}
Socket::~Socket() = default;
Socket::Socket(Socket&&) noexcept = default;
Socket& Socket::operator=(Socket&&) noexcept = default;

std::string Socket::bind(const std::string& endpoint, const std::string& only_key) {
  return carrier_->bind(endpoint, only_key);
}
void Socket::connect(const std::string& endpoint, bool once) { carrier_->connect(endpoint, once); }
void Socket::subscribe(std::string_view prefix) { carrier_->subscribe(prefix); }
void Socket::limit_queue(int messages) { carrier_->limit_queue(messages); }
void Socket::limit_unread(int messages) { carrier_->limit_unread(messages); }
bool Socket::send(protocol::Message&& message) { return carrier_->send(std::move(message)); }
bool Socket::send(const protocol::Message& message) { return send(protocol::Message(message)); }
bool Socket::send_to(std::string_view peer, protocol::Message&& message) {
  return carrier_->send(peer, std::move(message));
}
bool Socket::publish(std::string_view topic, protocol::Message&& message) {
  return carrier_->send(topic, std::move(message));
}
bool Socket::send(const Bytes& head, std::shared_ptr<const Bytes> payload) {
  return carrier_->send(head, std::move(payload));
}
bool Socket::has_room(std::size_t bytes) { return carrier_->has_room(bytes); }
std::optional<Subscription> Socket::next_subscription() { return carrier_->next_subscription(); }
std::optional<Received> Socket::receive() { return carrier_->receive(); }
bool Socket::wait(int milliseconds) { return carrier_->wait(milliseconds); }
int Socket::fd() const { return carrier_->fd(); }
bool& Socket::due() { return carrier_->due(); }
bool Socket::is_due() const { return carrier_->due(); }

Monitor::Monitor(Socket& socket) : carrier_(socket.carrier_->watch()) {}
Monitor::~Monitor() = default;
Monitor::Monitor(Monitor&&) noexcept = default;
Monitor& Monitor::operator=(Monitor&&) noexcept = default;
int Monitor::fd() const { return carrier_->fd(); }
std::optional<ConnectionEvent> Monitor::next() { return carrier_->next(); }

}  // namespace eole::net
