#include "cli/endpoints.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/common.hpp"
#include "common/base/text.hpp"
#include "common/net/ipc_place.hpp"
#include "common/net/tokens.hpp"
#include "common/process/hash.hpp"
#include "common/process/private.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

namespace {

using Member = std::string net::ClusterFile::*;
constexpr std::array<std::pair<Member, const char*>, 5> kFixed{
    {{&net::ClusterFile::ventilator, "ventilator"},
     {&net::ClusterFile::results, "results"},
     {&net::ClusterFile::notifications, "notifications"},
     {&net::ClusterFile::queries, "queries"},
     {&net::ClusterFile::artifacts, "artifacts"}}};

// ---- ipc.

constexpr std::string_view kIpc = "ipc://";
constexpr std::size_t kSocketPathMax = 107;  // sun_path of Linux, without its end.
constexpr std::size_t kSocketNameMax = 32;   // "/p0123abcd-4294967295" and some.

// Of all this user's clusters whose data directories have long names.
std::string shared_directory() { return text("/tmp/eole-", ::geteuid()); }

void remove_sockets_in(const std::string& path) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored))
    if (entry.is_socket(ignored) && !net::is_listened_at(entry.path().string()))
      std::filesystem::remove(entry.path(), ignored);
}

// The same for the same data directory, so that whoever waits finds the next `eole up` again.
std::string socket_directory(const std::string& data) {
  auto path = data + "/sockets";
  if (path.size() + kSocketNameMax > kSocketPathMax) {
    const auto own = shared_directory();
    process::make_private_directory(own);
    std::uint64_t name = 0;
    for (const unsigned char byte : process::sha256(data).substr(0, 8)) name = name << 8 | byte;
    path = text(own, "/", hex(name));
  }
  process::make_private_directory(path);
  remove_sockets_in(path);  // What a killed start left.
  return path;
}

net::ClusterFile over_ipc(const std::string& data) {
  net::ClusterFile cluster;
  cluster.pipes = text(kIpc, socket_directory(data));
  for (const auto& [member, name] : kFixed) cluster.*member = text(cluster.pipes, "/", name);
  return cluster;
}

// ---- TCP: five fixed ports and then those of the workers' pipes.

constexpr int kPorts = 1000;
constexpr int kPortMost = 65536 - kPorts;
constexpr int kChosenFirst = 10'000;  // Without PORT: below what the kernel deals out itself.
constexpr int kChosenLast = 30'000;
constexpr int kChoices = 100;

// 0 if `port` of `address` is free; an errno; -1 if the address is none.
int try_port(const std::string& address, int port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return -1;
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;  // As the role will: connections that wind down do not matter.
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool is_free = fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) == 0;
  const int error = is_free ? 0 : errno;
  ::freeaddrinfo(found);
  if (fd >= 0) ::close(fd);
  return error;
}

int choose_ports(const std::string& address) {
  for (int i = 0; i < kChoices; ++i) {
    const int first = kChosenFirst + static_cast<int>(process::random_u64() %
                                                      (kChosenLast - kChosenFirst));
    bool are_free = true;
    for (int offset = 0; offset < static_cast<int>(kFixed.size()); ++offset)
      are_free = are_free && try_port(address, first + offset) == 0;
    if (are_free) return first;
  }
  throw Failure{kBadUse, text("--listen ", address, ": no five free ports in a row from ",
                              kChosenFirst, " to ", kChosenLast, "; name one: ADDRESS:PORT")};
}

struct Listen {
  std::string address;  // Without brackets.
  std::string host;     // As endpoints write it.
  int port = 0;         // 0: not given.
};

Listen parse_listen(const std::string& listen) {
  const auto refuse = [&](const std::string& why) {
    throw Failure{kBadUse, text("--listen ", listen, ": ", why)};
  };
  Listen out;
  std::string rest;
  if (listen.starts_with('[')) {
    const auto end = listen.find(']');
    if (end == std::string::npos) refuse("the address has no closing bracket");
    out.address = listen.substr(1, end - 1);
    rest = listen.substr(end + 1);
  } else if (listen.find(':') != listen.rfind(':')) {
    refuse("write an IPv6 address in brackets: [ADDRESS]:PORT");
  } else {
    out.address = listen.substr(0, listen.find(':'));
    rest = listen.substr(out.address.size());
  }
  if (out.address.empty() || out.address == "0.0.0.0" || out.address == "::" || out.address == "*")
    refuse("name the one address at which workers reach this machine");
  out.host = out.address.find(':') == std::string::npos ? out.address : "[" + out.address + "]";
  if (!rest.empty()) {
    const auto* end = rest.data() + rest.size();
    const auto [at, error] = std::from_chars(rest.data() + 1, end, out.port);
    if (rest[0] != ':' || error != std::errc{} || at != end || out.port < 1 || out.port > kPortMost)
      refuse(text("the port is 1 to ", kPortMost, "; it and the ", kPorts - 1,
                  " after it are used"));
  }
  const int error = try_port(out.address, 0);
  if (error == -1)
    refuse(text(out.address, " is not an IP address in numbers, like 10.0.0.1 (no name either)"));
  if (error != 0) refuse(text("not an address of this machine (", std::strerror(error), ")"));
  return out;
}

net::ClusterFile over_tcp(const std::string& listen, const net::ClusterFile& before,
                          std::string& ports) {
  const auto [address, host, given] = parse_listen(listen);
  const auto at = [&host = host](int port) { return text("tcp://", host, ":", port); };
  auto first = given;
  if (const auto place = text("tcp://", host, ":"); first == 0 && before.pipes.starts_with(place))
    first = std::atoi(before.ventilator.c_str() + place.size());  // Join files stay valid.
  if (first == 0) first = choose_ports(address);
  net::ClusterFile cluster;
  int port = first;
  for (const auto& [member, name] : kFixed) cluster.*member = at(port++);
  cluster.pipes = text(at(port), "-", first + kPorts - 1);
  ports = text("tcp ", first, "-", first + kPorts - 1);
  return cluster;
}

// Where the page is: its address stays in bookmarks, so the port of before is tried first.
// Beyond this machine it is encrypted.
std::string choose_http(const HttpPlace& wanted, const std::string& before, std::string& address) {
  const auto& written = wanted.address;
  const auto refuse = [&](const std::string& why) {
    throw Failure{kBadUse, text("--http ", written, ": ", why)};
  };
  const auto colon = written.rfind(':');
  if (colon == std::string::npos ||
      written.find_first_not_of("0123456789", colon + 1) != std::string::npos)
    refuse("wanted is ADDRESS:PORT, as 127.0.0.1:8080");
  const auto host = written.substr(0, colon);
  address = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  const bool is_local = net::is_local(address);
  if (address.empty() || address == "0.0.0.0" || address == "::")
    refuse("name the one address at which this machine is reached");
  if (const int error = try_port(address, 0); error != 0)
    refuse(error == -1 ? "is not an IP address in numbers" : std::strerror(error));
  const auto place = text(is_local && !wanted.has_certificate ? "http://" : "https://", host, ":");
  if (const int port = std::atoi(written.c_str() + colon + 1); port != 0) {
    if (port > 65535) refuse("the port is 0 to 65535");
    // That of the last time may still be its gateway's, which winds down.
    if (const int error = try_port(address, port); error != 0 && before != text(place, port))
      refuse(std::strerror(error));
    return text(place, port);
  }
  if (before.starts_with(place) && try_port(address, std::atoi(before.c_str() + place.size())) == 0)
    return before;
  for (int i = 0; i < kChoices; ++i) {
    const int port =
        kChosenFirst + static_cast<int>(process::random_u64() % (kChosenLast - kChosenFirst));
    if (try_port(address, port) == 0) return text(place, port);
  }
  throw Failure{kBadUse, text("--http ", written, ": no free port from ", kChosenFirst, " to ",
                              kChosenLast, "; name one")};
}

// The same places with the identity of another process.
net::ClusterFile as(const net::ClusterFile& server, const net::ClusterFile& before,
                    const std::string& name, const std::set<net::Role>& roles) {
  auto file = server;
  file.name = name;
  if (!server.is_encrypted()) return file;
  file.keys = before.keys;
  if (before.server_key != server.server_key || before.keys.secret_key.empty()) {
    file.keys = net::make_key_pair();
    net::authorize(server.key_table, file.keys.public_key, name, roles);
  }
  return file;
}

}  // namespace

Endpoints write_endpoints(const std::string& data, const std::string& listen, const HttpPlace& http,
                          const std::string& client_path) {
  Endpoints endpoints;
  endpoints.server_path = data + "/server.toml";
  endpoints.worker_path = data + "/worker.toml";
  const auto admin_path = data + "/admin.toml";
  const auto read = [](const std::string& path) {
    if (!std::filesystem::exists(path)) return net::ClusterFile{};
    return need(net::read_cluster_file(path));  // Never new keys because of a bad mode.
  };
  const auto before = read(endpoints.server_path);
  net::ClusterFile server;
  if (listen.empty()) {
    server = over_ipc(data);
  } else {
    server = over_tcp(listen, before, endpoints.ports);
    server.keys = before.keys.secret_key.empty() ? net::make_key_pair() : before.keys;
    server.server_key = server.keys.public_key;
    server.key_table = data + "/keys.toml";
    if (const bool is_new = before.keys.secret_key.empty();
        !is_new && !std::filesystem::exists(server.key_table))
      throw Failure{kBadUse, text("key table ", server.key_table, " is gone: put it back, or remove ",
                                  endpoints.server_path, " to begin with new keys")};
    else if (is_new && !std::filesystem::exists(server.key_table))
      net::authorize(server.key_table, server.server_key, "server", {net::Role::kSettle});
    const net::Authority checked(server.key_table, server.server_key);  // As the roles will.
  }
  server.name = "server";
  server.http = choose_http(http, before.http, endpoints.http_address);
  server.token_table = data + "/tokens.toml";
  auto worker = as(server, read(endpoints.worker_path), "local workers", {net::Role::kWork});
  worker.key_table.clear();
  worker.pipes.clear();
  worker.token_table.clear();
  endpoints.gateway_path = data + "/gateway.toml";
  auto gateway =
      as(server, read(endpoints.gateway_path), "gateway", {net::Role::kAdmin, net::Role::kWork});
  gateway.key_table.clear();
  gateway.pipes.clear();
  const auto client = as(server, read(admin_path), "admin", {net::Role::kAdmin});
  net::write_cluster_file(endpoints.server_path, server);
  net::write_cluster_file(endpoints.worker_path, worker);
  net::write_cluster_file(endpoints.gateway_path, gateway);
  net::write_cluster_file(admin_path, client);
  net::write_cluster_file(client_path, client);
  if (!server.is_encrypted()) endpoints.sockets = server.pipes.substr(kIpc.size());
  endpoints.ventilator = server.ventilator;
  endpoints.queries = server.queries;
  endpoints.notifications = server.notifications;
  endpoints.http = server.http;
  return endpoints;
}

void remove_sockets(const Endpoints& endpoints) {
  if (endpoints.sockets.empty()) return;
  remove_sockets_in(endpoints.sockets);
  // One in the data directory stays: a role that is started by hand needs it.
  if (std::filesystem::path(endpoints.sockets).parent_path() != shared_directory()) return;
  std::error_code in_use;  // Or not empty: then it stays.
  std::filesystem::remove(endpoints.sockets, in_use);
  std::filesystem::remove(shared_directory(), in_use);
}

}  // namespace eole::cli
