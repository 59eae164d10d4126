#!/bin/sh
# A build of a repository, clean, on any worker that takes commands; what it made is here afterwards.
#
# Use: build_from_git.sh URL REVISION 'OUTPUT PATTERN' TO -- COMMAND ..., with `eole` in the PATH and a cluster
# (eole up --allow-exec).
set -e
[ $# -ge 6 ] && [ "$5" = -- ] || { echo "build_from_git.sh URL REVISION PATTERN TO -- COMMAND ..." >&2; exit 2; }
url=$1 revision=$2 pattern=$3 to=$4
shift 5

eole submit exec --git "$url" --revision "$revision" --outputs "[\"$pattern\"]" --timeout 3600 --wait --to "$to" -- "$@"
