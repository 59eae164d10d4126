#!/bin/sh
# Prints how each task ended whose project/kind/state fits the pattern.
eole watch --json --topic "$1" | while read -r event; do
  echo "heard: $event"
done
