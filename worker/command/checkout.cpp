#include "worker/command/checkout.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"

namespace eole::command {

namespace {

// A commit that the mirror has needs nothing of the network; a branch or a tag may have moved. The
// checkout shares the mirror's objects and overwrites no file that was laid there before; its
// remote is the real one, for submodules beside it.
constexpr const char* kScript = R"(
mirror=$1 url=$2 revision=$3 directory=$4 depth=$5
umask 022
mkdir -p "${mirror%/*}" || exit 1
exec 9>"$mirror.lock"
flock 9
[ -e "$mirror/HEAD" ] || git init --quiet --bare --template= "$mirror" || exit 1
find_commit() {
  case $revision in
    '') git rev-parse --verify --quiet 'refs/eole/HEAD^{commit}' ;;
    *) git rev-parse --verify --quiet "refs/heads/$revision^{commit}" ||
       git rev-parse --verify --quiet "refs/tags/$revision^{commit}" ||
       case $revision in
         *[!0-9a-f]* | ? | ?? | ???) false ;;
         *) git rev-parse --verify --quiet "$revision^{commit}" ;;
       esac ;;
  esac
}
export GIT_DIR="$mirror"
commit=
if [ -n "$depth" ]; then
  git fetch --quiet --force --depth "$depth" --no-tags --no-write-fetch-head -- "$url" \
    "+${revision:-HEAD}:refs/eole/wanted" || exit 1
  commit=$(git rev-parse --verify --quiet 'refs/eole/wanted^{commit}') || exit 1
elif [ ${#revision} -ge 40 ] && git cat-file -e "$revision^{commit}" 2>/dev/null; then
  commit=$(find_commit)
fi
if [ -z "$commit" ]; then
  git fetch --quiet --force --prune --no-write-fetch-head -- "$url" \
    '+HEAD:refs/eole/HEAD' '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' || exit 1
  commit=$(find_commit) || { echo "it has no revision ${revision:-HEAD}" >&2; exit 1; }
fi
touch "$mirror"
unset GIT_DIR
git init --quiet --template= "$directory" && cd "$directory" || exit 1
mkdir -p .git/objects/info && echo "$mirror/objects" > .git/objects/info/alternates || exit 1
[ ! -e "$mirror/shallow" ] || cp "$mirror/shallow" .git/shallow || exit 1
exec 9>&-
git remote add origin "$url" || exit 1
git checkout --quiet --detach "$commit" || exit 1
[ ! -e .gitmodules ] || git submodule --quiet update --init --recursive ${depth:+--depth "$depth"} || exit 1
echo "$commit"
)";

constexpr const char* kHelper =
    R"(!f() { [ "$1" != get ] || printf 'username=%s\npassword=%s\n' "$EOLE_GIT_USER" "$EOLE_GIT_PASSWORD"; }; f)";

bool is_name_letter(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte > ' ' && byte != 0x7f &&
         std::string_view("~^:?*[\\").find(letter) == std::string::npos;
}

// Why git must not see it; empty: it may.
std::string problem_of(const std::string& url, bool has_files) {
  const auto colon = url.find("://");
  const auto scheme = url.substr(0, colon == url.npos ? 0 : colon);
  if (scheme == "file" && !has_files)
    return "is a directory of this machine; the worker allows none (--allow-git-files)";
  if (scheme != "https" && scheme != "ssh" && scheme != "file")
    return "must be https://… or ssh://…";
  if (std::any_of(url.begin(), url.end(),
                  [](unsigned char byte) { return byte <= ' ' || byte == 0x7f; }))
    return "has a blank or a control character";
  const auto rest = url.substr(colon + 3);
  if (rest.empty() || rest[0] == '-') return "has no host";
  const auto place = rest.substr(0, rest.find('/'));
  const auto at = place.rfind('@');
  if (at != place.npos && place.find(':') < at)
    return "has a password in it, which everybody would see who sees the task";
  if (at != place.npos && place.substr(at + 1).starts_with('-')) return "has no host";
  return {};
}

// Letters that name no other commit than the one that is meant: git's own rule for names.
bool is_revision(const std::string& name) {
  return !name.starts_with('-') && name.find("..") == name.npos && name.find("@{") == name.npos &&
         std::all_of(name.begin(), name.end(), is_name_letter);
}

// For git's own way to ask for a password of the repository's host, and of no other.
void add_credential(const Source& source, std::vector<std::string>& env) {
  const auto place = source.url.substr(8, source.url.find('/', 8) - 8);
  const auto at = place.rfind('@');
  const auto host = at == place.npos ? place : place.substr(at + 1);
  const auto colon = source.secret.find(':');
  const auto user = colon != source.secret.npos ? source.secret.substr(0, colon)
                    : at != place.npos          ? place.substr(0, at)
                                                : "token";
  const auto helper = text("credential.https://", host, ".helper");
  for (auto&& variable :
       {text("EOLE_GIT_USER=", user), text("EOLE_GIT_PASSWORD=", source.secret.substr(colon + 1)),
        text("GIT_CONFIG_COUNT=6"), text("GIT_CONFIG_KEY_4=", helper), text("GIT_CONFIG_VALUE_4="),
        text("GIT_CONFIG_KEY_5=", helper), text("GIT_CONFIG_VALUE_5=", kHelper)})
    env.push_back(variable);
}

}  // namespace

std::string mirror_of(const Settings& settings, const Source& source) {
  // A mirror with a part of the history is another one; and what was fetched with a secret is for
  // those who may name it. By its name: a digest of its value would let a command try words.
  const auto depth = source.depth > 0 ? text(" ", source.depth) : std::string();
  const auto secret = source.secret.empty() ? std::string() : text(" ", source.secret_name);
  return text(settings.mirrors, "/", hex(process::sha256(text(source.url, depth, secret))));
}

Expected<Command> checkout_of(const Source& source, const std::string& directory,
                              const Settings& settings) {
  if (const auto problem = problem_of(source.url, settings.has_git_files); !problem.empty())
    return Error{text("git: the URL ", problem)};
  if (!is_revision(source.revision))
    return Error{text("git: ", source.revision, " is no name of a revision")};
  if (!source.secret.empty() && !source.url.starts_with("https://"))
    return Error{"git: git_secret is for https:// alone; ssh has the keys of the worker's user"};
  Command command;
  command.argv = {"/bin/sh",
                  "-c",
                  kScript,
                  "checkout",
                  mirror_of(settings, source),
                  source.url,
                  source.revision,
                  directory,
                  source.depth > 0 ? std::to_string(source.depth) : ""};
  for (const char* name : {"PATH", "HOME", "USER", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
                           "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"})
    if (const char* value = std::getenv(name)) command.env.push_back(text(name, "=", value));
  const auto allowed = text("https:ssh", settings.has_git_files ? ":file" : "");
  for (const auto* variable :
       {"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false", "SSH_ASKPASS=/bin/false",
        "GIT_SSH_COMMAND=ssh -o BatchMode=yes", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C.UTF-8",
        // Over any other settings, also for submodules.
        "GIT_CONFIG_KEY_0=core.hooksPath", "GIT_CONFIG_VALUE_0=/dev/null",
        "GIT_CONFIG_KEY_1=core.fsmonitor", "GIT_CONFIG_VALUE_1=false", "GIT_CONFIG_KEY_2=gc.auto",
        "GIT_CONFIG_VALUE_2=0", "GIT_CONFIG_KEY_3=advice.detachedHead", "GIT_CONFIG_VALUE_3=false"})
    command.env.emplace_back(variable);
  command.env.push_back(text("GIT_ALLOW_PROTOCOL=", allowed));
  if (source.secret.empty())
    command.env.emplace_back("GIT_CONFIG_COUNT=4");
  else
    add_credential(source, command.env);
  command.use = Command::Use::kStep;
  return command;
}

}  // namespace eole::command
