#include "cli/endpoints.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "cli/common.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

// A port that is free now. Another process may take it before the role binds it; then the role
// says so and the supervisor starts it again.
int free_port(const std::string& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  socklen_t length = sizeof name;
  const bool is_bound = ::inet_pton(AF_INET, address.c_str(), &name.sin_addr) == 1 &&
                        ::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 &&
                        ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) == 0;
  ::close(fd);
  if (!is_bound)
    throw Failure{kBadUse, text("--listen ", address, ": not an IPv4 address of this machine")};
  return ntohs(name.sin_port);
}

std::string socket_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  std::string pattern =
      text(runtime != nullptr && ::access(runtime, W_OK) == 0 ? runtime : "/tmp", "/eole-XXXXXX");
  if (::mkdtemp(pattern.data()) == nullptr)  // Mode 0700.
    throw Failure{kBadUse, text("cannot make a directory for sockets in ", pattern)};
  return pattern;
}

net::ClusterFile over_ipc() {
  const auto directory = socket_directory();
  const auto at = [&](const char* name) { return text("ipc://", directory, "/", name); };
  net::ClusterFile cluster;
  cluster.ventilator = at("ventilator");
  cluster.results = at("results");
  cluster.notifications = at("notifications");
  cluster.queries = at("queries");
  cluster.artifacts = at("artifacts");
  cluster.pipes = text("ipc://", directory);
  return cluster;
}

net::ClusterFile over_tcp(const std::string& listen, const net::ClusterFile& before) {
  const auto colon = listen.rfind(':');
  const auto address = listen.substr(0, colon);
  if (address == "0.0.0.0" || address.empty())
    throw Failure{kBadUse, "--listen: name the address at which workers reach this machine"};
  int port = 0;
  if (colon != std::string::npos) {
    const auto digits = listen.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || *end != '\0' || port < 1 || port > 65531)
      throw Failure{kBadUse, text("--listen ", listen, ": the port is 1 to 65531")};
  }
  net::ClusterFile cluster;
  const bool same_place = before.pipes == text("tcp://", address, ":*");
  int offset = 0;
  for (auto member :
       {&net::ClusterFile::ventilator, &net::ClusterFile::results, &net::ClusterFile::notifications,
        &net::ClusterFile::queries, &net::ClusterFile::artifacts}) {
    if (port > 0) {
      cluster.*member = text("tcp://", address, ":", port + offset++);
    } else if (same_place) {
      cluster.*member = before.*member;  // Join files that are out stay valid.
    } else {
      cluster.*member = text("tcp://", address, ":", free_port(address));
    }
  }
  cluster.pipes = text("tcp://", address, ":*");
  return cluster;
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

Endpoints make_endpoints(const std::string& data, const std::string& listen) {
  Endpoints endpoints;
  endpoints.server_path = data + "/server.toml";
  endpoints.worker_path = data + "/worker.toml";
  const auto read = [](const std::string& path) {
    auto file = net::read_cluster_file(path);
    return file ? *file : net::ClusterFile{};
  };
  const auto before = read(endpoints.server_path);
  auto& server = endpoints.server;
  if (listen.empty()) {
    server = over_ipc();
  } else {
    server = over_tcp(listen, before);
    server.keys = before.keys.secret_key.empty() ? net::make_key_pair() : before.keys;
    server.server_key = server.keys.public_key;
    server.key_table = data + "/keys.toml";
    if (!std::filesystem::exists(server.key_table))
      net::authorize(server.key_table, server.server_key, "server", {net::Role::kSettle});
  }
  server.name = "server";
  endpoints.worker = as(server, read(endpoints.worker_path), "local workers", {net::Role::kWork});
  endpoints.worker.key_table.clear();
  const auto admin_path = data + "/admin.toml";
  endpoints.client = as(server, read(admin_path), "admin", {net::Role::kAdmin});
  net::write_cluster_file(admin_path, endpoints.client);
  return endpoints;
}

}  // namespace eole::cli
