"""N-queens as map and reduce: each placement of the first row's queen is a task, the project's last task sums them up.

    eole up &
    python3 queens.py [QUEENS]
"""

import pathlib
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients/python"))
import eole  # noqa: E402

SOLUTIONS = {4: 2, 5: 10, 6: 4, 7: 40, 8: 92, 9: 352, 10: 724, 11: 2680, 12: 14200, 13: 73712, 14: 365596}


def main(queens):
    project = f"queens-{uuid.uuid4()}"
    with eole.Cluster() as cluster:
        cluster.open_project(project, expected=queens, then={"kind": "collect", "args": {"how": "sum"}})
        cluster.submit("nqueens", [{"n": queens, "prefix": [column]} for column in range(queens)], project=project)
        result = cluster.wait_project(project)["result"]
    if result["state"] != "done":
        sys.exit(result["error"])
    solutions = result["value"]["sum"]["solutions"]
    if solutions != SOLUTIONS.get(queens, solutions):
        sys.exit(f"{queens} queens: {solutions} solutions, wanted {SOLUTIONS[queens]}")
    print(f"{queens} queens: {solutions} solutions, of {result['value']['parts']} tasks")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
