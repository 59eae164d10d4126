#pragma once
#include <string>
#include <vector>

namespace eole::process {

/// What a server shows over TLS, as PEM files.
struct Certificate {
  std::string path;
  std::string key_path;
  std::string fingerprint;         // SHA-256 of it: "AB:CD:…", as browsers and openssl show it.
  std::vector<std::string> hosts;  // For which it is: names and addresses, in lower case.
};

/// One that was given. Throws std::runtime_error if it is none, has run out, or the key is another
/// one's or open to others.
Certificate read_certificate(const std::string& path, const std::string& key_path);

/// This machine's own in `directory`, which is private, for `address`, an IP address: made, signed
/// by itself, if it is not there, its key is not this one, it is not for this address or runs out
/// within a month. Of two who make it at once one may end with the other's key.
Certificate own_certificate(const std::string& directory, const std::string& address);

}  // namespace eole::process
