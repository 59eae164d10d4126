"""A member of a group in Python, for tests: prints a line for each record. group_consumer.py GROUP MEMBER [OPTION=JSON…]"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

options = {name: json.loads(value) for name, _, value in (each.partition("=") for each in sys.argv[3:])}
with eole.Cluster() as cluster, cluster.group(sys.argv[1], member=sys.argv[2], **options) as group:
    for record in group:
        print(json.dumps({"offset": record.offset, "id": record.id, "partition": record.partition}), flush=True)
