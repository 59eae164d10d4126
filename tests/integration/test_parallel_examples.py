"""The examples of GNU parallel's own manual that make sense here: `eole run` gives the same bytes."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster

# Words behind `parallel -k` and `eole run -k`, alike.
ALIKE = [
    ["echo", ":::", "A", "B", "C"],
    ["echo", "{}", ":::", "A/B.C"],
    ["echo", "{.}", ":::", "A/B.C"],
    ["echo", "{/}", ":::", "A/B.C"],
    ["echo", "{//}", ":::", "A/B.C"],
    ["echo", "{/.}", ":::", "A/B.C"],
    ["echo", "{#}", ":::", "A", "B", "C"],
    ["echo", "{}", "{.}", "{/}", "{//}", "{/.}", "{#}", ":::", "dir/sub/file.tar.gz", "plain", ".hidden", "dir/", "a.b/c"],
    ["echo", ":::", "A", "B", "C", ":::", "D", "E", "F"],
    ["echo", "{1}", "{2}", ":::", "A", "B", ":::", "D", "E"],
    ["echo", "{2}", "{1}", ":::", "A", "B", ":::", "D", "E"],
    ["echo", ":::", "A", "B", "C", ":::+", "D", "E", "F"],
    ["echo", ":::", "A", "B", ":::+", "C", "D", ":::", "E", "F"],
    ["echo", "{1/}", "{1//}", "{1/.}", "{1.}", "{2}", ":::", "A/B.C", "D/E.F", ":::", "x"],
    ["echo", "1={1}", "2={2}", "3={3}", ":::", "A", "B", ":::", "C", "D", ":::", "E", "F"],
    ["--tag", "echo", "foo-{}", ":::", "A", "B", "C"],
    ["--tag", "echo {}; echo {}", ":::", "A", "B"],
    ["sleep {}; echo {}", ":::", "0.3", "0.1", "0.2"],
    ["echo {} | wc -c", ":::", "a", "bb", "ccc"],
    ["echo", "pre-{}-post", ":::", "A", "B"],
    ["echo {}; echo {#}", ":::", "A", "B"],
    ["seq {} | tail -n 1", ":::", "10", "200"],
    ["printf '%s\\n' {}", ":::", "My brother's 12\" records", "a  b", "$HOME", "*", "a;b", "&", "tab\there", "\\n", "~"],
    ["printf %s {}", ":::", "no end of a line", "nor here"],
    ["echo out; echo err >&2", ":::", "one"],
    ["--dry-run", "echo", "{}", ":::", "A", "B", "C"],
    ["test -e {} || echo {} is not there", ":::", "/", "/no/such/file"],
    ["head -c {} /dev/zero | tr '\\0' x", ":::", "200000", "3"],
]
# The same with lines of standard input, which parallel reads unasked.
LINES = [
    (["echo"], "a\nb\nc\n"),
    (["echo", "{.}", "{/}"], "dir/a.txt\nb c.txt\nlast without end"),
    (["expr", "1", "+"], "1\n2\n"),
]
# What files are like afterwards, in a directory that has one.html, two words.html and three.gif.
FILES = [
    ["gzip", "-n", "--best", ":::", "one.html", "two words.html"],
    ["cp", "{}", "{.}.bak", ":::", "one.html", "three.gif"],
    ["mv", "{}", "{/.}.htm", ":::", "one.html", "two words.html"],
    ["wc -c < {} > {.}.count", ":::", "one.html", "two words.html"],
    ["mkdir -p {/.}; mv {} {/.}/{/}", ":::", "one.html", "three.gif"],
    ["touch", "{1}-{2}.txt", ":::", "a", "b", ":::", "1", "2"],
]


@unittest.skipUnless(shutil.which("parallel"), "GNU parallel is not here")
class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="eole-parallel-")
        cls.files = pathlib.Path(cls.directory.name)
        cls.env = {**os.environ, "HOME": cls.directory.name}
        cls.cluster = Cluster("--allow-exec", workers=1, slots=2, env={"HOME": cls.directory.name})
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.directory.cleanup()

    def both(self, words, lines=None, places=(None, None)):
        for_lines = ["--each-line", "-"] if lines is not None else []
        theirs = subprocess.run(["parallel", "--will-cite", "-j2", "-k", *words], input=(lines or "").encode(), capture_output=True,
                                env=self.env, cwd=places[0] or self.files, timeout=60)
        ours = subprocess.run([BIN / "eole", "run", "-k", *for_lines, *words], input=(lines or "").encode(), capture_output=True,
                              env=self.cluster.env, cwd=places[1] or self.files, timeout=60)
        self.assertEqual(ours.stdout, theirs.stdout)
        self.assertEqual(ours.stderr, theirs.stderr)
        self.assertEqual(ours.returncode, theirs.returncode)

    def test_what_is_printed(self):
        for words in ALIKE:
            with self.subTest(words=words):
                self.both(words)

    def test_lines_of_standard_input(self):
        for words, lines in LINES:
            with self.subTest(words=words):
                self.both(words, lines)

    def test_what_files_are_like(self):
        for number, words in enumerate(FILES):
            with self.subTest(words=words):
                places = [self.files / f"{who}-{number}" for who in ("theirs", "ours")]
                for place in places:
                    place.mkdir()
                    for name in ("one.html", "two words.html", "three.gif"):
                        (place / name).write_text(f"of {name}\n")
                self.both(words, places=places)
                theirs, ours = ({str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
                                for place in places)
                self.assertEqual(ours, theirs)


if __name__ == "__main__":
    unittest.main()
