"""Real processes under real faults, and an offline check of everything that was promised.

./dev chaos [--minutes M] [--rate R] [--seed S] [--only WORD,…]: each scenario runs under steady
load; a client writes down each id that it was answered, a subscriber each result that it was told;
then the stopped cluster's journal and log are read and compared with both. What is lost, done twice or never
ends fails a scenario; how long something took is printed, never judged: a loaded machine is no fault of ours.
"""

import argparse
import json
import os
import pathlib
import random
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
sys.path.append(str(HERE.parents[1] / "clients/python"))

import disks  # noqa: E402
import growth  # noqa: E402
import plans  # noqa: E402
import processes  # noqa: E402
import runners  # noqa: E402
import storage  # noqa: E402
import surroundings  # noqa: E402
from rig import Skipped  # noqa: E402

# Each returns what it saw.
SCENARIOS = [surroundings.downloads, processes.storm, processes.busy, processes.restart, processes.redelivery,
             plans.order, runners.runners,
             surroundings.network, storage.power, storage.sync, storage.full, surroundings.files, surroundings.clock,
             surroundings.namespaces, growth.retention, growth.settled, growth.requests, growth.bystander]
NEED_ROOT = (storage.power, storage.sync, storage.full, surroundings.namespaces)


def run_one(scenario, options):
    start = time.monotonic()
    try:
        if scenario in NEED_ROOT and os.geteuid() != 0:
            raise Skipped("needs root")
        saw = scenario(options)
        outcome = "ok"
    except (Skipped, disks.Missing) as why:
        saw, outcome = {"why": str(why)}, "skipped"
    except Exception as error:  # noqa: BLE001 - the next scenario runs all the same
        saw, outcome = {"why": f"{type(error).__name__}: {error}"}, "FAILED"
    print(json.dumps({"scenario": scenario.__name__, "outcome": outcome,
                      "seconds": round(time.monotonic() - start, 1), **saw}), flush=True)
    return outcome != "FAILED"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1, help="of the storm; the others scale with it")
    parser.add_argument("--rate", type=int, default=5000, help="tasks a second")
    parser.add_argument("--answers", type=int, default=None, help="of hostile sources [300 a minute]")
    parser.add_argument("--seed", type=int, default=None, help="of what happens when")
    parser.add_argument("--only", default="", help=", ".join(each.__name__ for each in SCENARIOS))
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    print(f"chaos: seed {seed}", flush=True)
    good = True
    for scenario in SCENARIOS:
        if options.only and scenario.__name__ not in options.only.split(","):
            continue
        options.random = random.Random(seed)
        good = run_one(scenario, options) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
