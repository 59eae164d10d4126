#pragma once
#include <string>
#include <string_view>

namespace eole::process {

/// Ed25519. Keys have 32 bytes, signatures 64; the public one follows from the other.
std::string new_signing_key();
std::string public_key_of(std::string_view key);
std::string signature_of(std::string_view key, std::string_view bytes);
bool is_signature(std::string_view signature, std::string_view public_key, std::string_view bytes);

}  // namespace eole::process
