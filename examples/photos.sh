#!/bin/sh
# A folder of photos, smaller, into another: at most 1920 pixels, no place or camera in them, by all workers.
#
# Use: photos.sh FROM TO, with `eole` in the PATH and a cluster (eole up).
set -e
[ $# = 2 ] || { echo "photos.sh FROM TO" >&2; exit 2; }

eole submit image "$1"/* --width 1920 --height 1920 --progressive --retry --wait --to "$2"
