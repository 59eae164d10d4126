"""The gateway before tools that others wrote, too large or too long for the tests: ./dev judges [WORD...] [--seconds N]

fronts    nginx, haproxy, lighttpd and mitmproxy before it: whatever bytes come, nobody gets another's answer
slow      slowhttptest -H -B -X -R while an honest client counts its milliseconds
sockets   10,000 connections at once
metrics   promtool on /metrics, and a Prometheus that scrapes it, compared with `eole status`
document  prism as a proxy that knows the OpenAPI document
clients   h2load (pipelined), hey, ab and siege: no request fails
names     ffuf: names that lead out of a place, and names of other hosts
tls       sslscan and testssl of a gateway that others reach
upload    16 uploads of 1 GiB at once, and the gateway's memory (needs 40 GiB of disk)

Nothing is installed: what is missing is said, and its judge left out.
"""

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import document  # noqa: E402
import fronts  # noqa: E402
import load  # noqa: E402
import metrics  # noqa: E402
import tools  # noqa: E402
import uploads  # noqa: E402
from judge import Missing  # noqa: E402

JUDGES = {"fronts": fronts.run, "slow": load.slow, "sockets": load.sockets, "metrics": metrics.run,
          "document": document.run, "clients": tools.clients, "names": tools.names, "tls": tools.tls, "upload": uploads.run}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD", help=f"of {', '.join(JUDGES)}; all without")
    parser.add_argument("--seconds", type=int, default=20, help="of each load [20]")
    flags = parser.parse_args()
    passed = failed = skipped = 0
    for name, run in JUDGES.items():
        if flags.words and name not in flags.words:
            continue
        try:
            run(flags.seconds)
            passed += 1
        except Missing as missing:
            print(f"{name}: left out: {missing}", flush=True)
            skipped += 1
        except AssertionError as error:
            print(f"{name}: FAILED: {error}", flush=True)
            failed += 1
    print(f"judges: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
