"""A bank: the movements of an account are tasks of one key, so they run one by one, in the order in which they were made.

    eole up --allow-exec &
    python3 bank.py [MOVEMENTS]

Each movement is a small script that reads the account's file, adds to it unless there would be less than nothing, and writes
it anew, without any lock. Run at once, they would overwrite one another; run in another order, others would be refused.
"""

import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients/python"))
import eole  # noqa: E402

ACCOUNTS = 8
SCRIPT = 'read -r balance < "$1"; sum=$((balance + $2)); [ $sum -ge 0 ] || exit 3; echo $sum > "$1"'


def main(movements):
    random_ = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="bank-") as bank, eole.Cluster() as cluster:
        files = [pathlib.Path(bank, f"account-{n}") for n in range(ACCOUNTS)]
        for file in files:
            file.write_text("100\n", encoding="ascii")
        made = [(random_.randrange(ACCOUNTS), random_.randrange(-90, 91)) for _ in range(movements)]
        ids = cluster.submit([{"kind": "exec", "key": f"account {account}",
                               "args": {"argv": ["sh", "-c", SCRIPT, "sh", str(files[account]), str(amount)]}}
                              for account, amount in made], project="bank")
        ends = {result.id: result.state for result in cluster.results(ids)}
        balances, refused = [100] * ACCOUNTS, 0
        for task, (account, amount) in zip(ids, made):
            is_refused = balances[account] + amount < 0
            balances[account] += 0 if is_refused else amount
            refused += is_refused
            if ends[task] != ("failed" if is_refused else "done"):
                sys.exit(f"{task}: account {account}, {amount:+}: {ends[task]}")
        if [int(file.read_text(encoding="ascii")) for file in files] != balances:
            sys.exit("a movement was lost")
        print(f"{movements} movements of {ACCOUNTS} accounts, {refused} of them refused; every balance is right")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
