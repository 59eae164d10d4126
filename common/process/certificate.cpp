#include "common/process/certificate.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <stdexcept>

#include "common/base/own_files.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::process {

namespace {

constexpr long kLifeSeconds = 5L * 365 * 86400;
constexpr long kRenewSeconds = 30L * 86400;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* of) const {
    Free(of);
  }
};
using X509Pointer = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using FilePointer = std::unique_ptr<FILE, Freed<std::fclose>>;
using NamesPointer = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

X509Pointer load(const std::string& path) {
  const FilePointer file(std::fopen(path.c_str(), "re"));
  if (!file) throw std::runtime_error(text("certificate ", path, ": ", std::strerror(errno)));
  X509Pointer certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  if (!certificate) throw std::runtime_error(text("certificate ", path, ": is none in PEM"));
  return certificate;
}

KeyPointer load_key(const std::string& path) {
  const FilePointer file(std::fopen(path.c_str(), "re"));
  if (!file) throw std::runtime_error(text("key ", path, ": ", std::strerror(errno)));
  struct stat status {};
  if (::fstat(::fileno(file.get()), &status) != 0 || (status.st_mode & 0077) != 0)
    throw std::runtime_error(text("key ", path, ": others can read it, chmod it to 0600"));
  const auto no_password = [](char*, int, int, void*) { return 0; };
  KeyPointer key(PEM_read_PrivateKey(file.get(), nullptr, no_password, nullptr));
  if (!key) throw std::runtime_error(text("key ", path, ": is none in PEM, or has a password"));
  return key;
}

std::string fingerprint_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (i > 0) out += ':';
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

std::string address_in(const ASN1_OCTET_STRING& bytes) {
  const auto* data = ASN1_STRING_get0_data(&bytes);
  if (ASN1_STRING_length(&bytes) == 4)
    return text(int{data[0]}, ".", int{data[1]}, ".", int{data[2]}, ".", int{data[3]});
  return "";
}

std::vector<std::string> hosts_of(X509* certificate) {
  std::vector<std::string> hosts;
  const NamesPointer names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    std::string host;
    if (name->type == GEN_IPADD) host = address_in(*name->d.iPAddress);
    if (name->type == GEN_DNS)
      host.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                  static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    for (auto& letter : host)
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    if (!host.empty()) hosts.push_back(std::move(host));
  }
  return hosts;
}

void add_extension(X509* certificate, int what, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  if (extension == nullptr || X509_add_ext(certificate, extension, -1) != 1)
    throw std::runtime_error(text("certificate: cannot be made with ", value));
  X509_EXTENSION_free(extension);
}

// For browsers and scripts that are told to trust it, and for nothing else: it can sign no other.
X509Pointer make(EVP_PKEY* key, const std::string& address) {
  X509Pointer made(X509_new());
  auto* certificate = made.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), random_u64() >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kLifeSeconds);
  X509_set_pubkey(certificate, key);
  auto* name = X509_get_subject_name(certificate);
  const auto common = text("eole ", address);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  auto hosts = text("IP:", address, ",DNS:localhost");
  const auto host = host_name();
  if (!host.empty() && host.find_first_of(",:/ ") == std::string::npos && host != "localhost")
    hosts += ",DNS:" + host;
  add_extension(certificate, NID_subject_alt_name, hosts);
  add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, NID_key_usage, "critical,digitalSignature");
  add_extension(certificate, NID_ext_key_usage, "serverAuth");
  add_extension(certificate, NID_subject_key_identifier, "hash");
  if (X509_sign(certificate, key, EVP_sha256()) == 0)
    throw std::runtime_error("certificate: cannot be signed");
  return made;
}

// Whole or not at all: its own name first.
void write(const std::string& path, const std::function<bool(FILE*)>& put) {
  const auto temporary = path + ".new";
  ::unlink(temporary.c_str());
  const int fd =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  FilePointer file(fd < 0 ? nullptr : ::fdopen(fd, "w"));
  const bool is_put = file && put(file.get()) && std::fflush(file.get()) == 0 && ::fsync(fd) == 0;
  if (!is_put || std::rename(temporary.c_str(), path.c_str()) != 0)
    throw std::runtime_error(text("cannot write ", path, ": ", std::strerror(errno)));
}

bool is_good(const Certificate& certificate, const std::string& address) {
  if (::access(certificate.path.c_str(), F_OK) != 0 ||
      ::access(certificate.key_path.c_str(), F_OK) != 0)
    return false;
  const auto x509 = load(certificate.path);
  auto soon = ::time(nullptr) + kRenewSeconds;
  const auto key = load_key(certificate.key_path);
  return X509_check_private_key(x509.get(), key.get()) == 1 &&
         X509_check_ip_asc(x509.get(), address.c_str(), 0) == 1 &&
         X509_cmp_time(X509_get0_notAfter(x509.get()), &soon) > 0;
}

}  // namespace

Certificate read_certificate(const std::string& path, const std::string& key_path) {
  const OwnFiles own;
  const auto x509 = load(path);
  const auto key = load_key(key_path);
  if (X509_check_private_key(x509.get(), key.get()) != 1)
    throw std::runtime_error(text("key ", key_path, ": is not that of certificate ", path));
  if (X509_cmp_current_time(X509_get0_notAfter(x509.get())) <= 0)
    throw std::runtime_error(text("certificate ", path, ": has run out"));
  return {path, key_path, fingerprint_of(x509.get()), hosts_of(x509.get())};
}

Certificate own_certificate(const std::string& directory, const std::string& address) {
  const OwnFiles own;
  const Certificate certificate{directory + "/certificate.pem", directory + "/key.pem", {}, {}};
  if (!is_good(certificate, address)) {
    const KeyPointer key(EVP_EC_gen("P-256"));
    if (!key) throw std::runtime_error("certificate: this OpenSSL makes no key of P-256");
    const auto x509 = make(key.get(), address);
    write(certificate.key_path, [&](FILE* file) {
      return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
    });
    write(certificate.path, [&](FILE* file) { return PEM_write_X509(file, x509.get()) == 1; });
  }
  auto read = read_certificate(certificate.path, certificate.key_path);
  read.hosts.push_back(address);  // As it is written: of IPv6 there are many ways.
  return read;
}

}  // namespace eole::process
