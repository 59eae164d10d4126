#!/bin/sh
# A runner in the shell: worker --runner examples/runners/upper.sh
# eole submit upper --args '{"text": "hello"}' --wait
[ $# = 0 ] && exec eole-runner upper -- "$0" task

# Once for each task: arguments come as JSON on standard input, the value goes out as JSON.
echo "task $EOLE_TASK_ID" >&2
echo 1/2 reading >&"$EOLE_PROGRESS_FD"
tr '[:lower:]' '[:upper:]'
