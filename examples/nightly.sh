#!/bin/sh
# A report at half past two every night in Paris, tried once by hand before the first night.
#
# Use: nightly.sh, with `eole` in the PATH and a cluster (eole up). What is already set up stays as it is.
set -e

eole schedule add nightly --cron '30 2 * * *' --zone Europe/Paris --missed once -- \
    --project reports --retry echo "the report"
eole schedule show nightly --beats 3

# Its result: eole result ID, and of every night: eole results --project reports.
echo "tried now: $(eole schedule run nightly)"
