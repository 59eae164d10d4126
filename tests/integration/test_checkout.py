"""Commands whose code comes from a git repository, or from artifacts; and what they leave."""

import base64
import functools
import hashlib
import http.server
import os
import pathlib
import ssl
import subprocess
import tempfile
import threading
import unittest

from cluster import Cluster

GIT = ["git", "-c", "user.name=Someone", "-c", "user.email=someone@example.org", "-c", "init.defaultBranch=main",
       "-c", "protocol.file.allow=always"]


def git(directory, *arguments):
    """As somebody without settings of their own, that no hook of theirs runs."""
    env = {"PATH": os.environ["PATH"], "HOME": str(directory), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run([*GIT, *arguments], cwd=directory, env=env, check=True, capture_output=True,
                          text=True).stdout.strip()


class Case(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="eole-checkout-")
        cls.files = pathlib.Path(cls.directory.name)
        cls.cluster = Cluster("--allow-exec", *cls.options, workers=1, slots=2,
                              env={"HOME": str(cls.files), "GIT_CONFIG_NOSYSTEM": "1"})
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.directory.cleanup()

    def repository(self, name, **files):
        path = self.files / name
        path.mkdir()
        git(path, "init", "--quiet")
        return path, self.commit(path, **(files or {"run": "#!/bin/sh\necho first\n"}))

    def commit(self, path, **files):
        for name, content in files.items():
            (path / name).write_text(content)
            (path / name).chmod(0o755)
        git(path, "add", "--all")
        git(path, "commit", "--quiet", "--message", "A change")
        return git(path, "rev-parse", "HEAD")

    def run_one(self, **args):
        args = {**({} if "shell" in args else {"argv": ["./run"]}), **args}
        return self.cluster.submit([{"kind": "exec", "args": args}], "--wait", check=False)[0]

    def value(self, **args):
        result = self.run_one(**args)
        self.assertEqual(result["state"], "done", result)
        return result["value"]

    def error(self, **args):
        result = self.run_one(**args)
        self.assertEqual(result["state"], "failed", result)
        return result["error"]

    def upload(self, content):
        path = self.files / hashlib.sha256(content).hexdigest()
        path.write_bytes(content)
        result = self.cluster.submit([{"kind": "exec", "args": {"argv": ["cp", str(path), "kept"],
                                                                "outputs": ["kept"]}}], "--wait")[0]
        self.assertEqual(result["artifact"]["sha256"], path.name)
        return path.name


class Repositories(Case):
    options = ("--allow-git-files",)

    def test_a_command_runs_in_a_clean_checkout_and_its_commit_is_told(self):
        path, commit = self.repository("clean")
        script = "./run; git status --porcelain --ignored; git rev-parse HEAD; git log --format=%s; touch left; stat -c %a run"
        for _ in range(2):  # The second finds nothing that the first left.
            value = self.value(git=f"file://{path}", shell=script)
            self.assertEqual(value["stdout"], f"first\n{commit}\nA change\n755\n")
            self.assertEqual(value["commit"], commit)

    def test_a_branch_moves_and_a_tag_or_a_commit_does_not(self):
        path, first = self.repository("moving")
        url = f"file://{path}"
        git(path, "tag", "v1")
        self.assertEqual(self.value(git=url, revision="main")["commit"], first)
        second = self.commit(path, run="#!/bin/sh\necho second\n")
        for revision, commit, said in (("main", second, "second\n"), ("v1", first, "first\n"), (first, first, "first\n"),
                                       (first[:12], first, "first\n"), (None, second, "second\n")):
            value = self.value(git=url, **({"revision": revision} if revision else {}))
            self.assertEqual((value["commit"], value["stdout"]), (commit, said), revision)

    def test_a_commit_that_is_there_needs_no_repository_any_more(self):
        path, commit = self.repository("gone")
        url = f"file://{path}"
        self.value(git=url)
        path.rename(self.files / "elsewhere")
        self.assertEqual(self.value(git=url, revision=commit)["stdout"], "first\n")
        self.assertIn("git: ", self.error(git=url, revision="main"))

    def test_a_submodule_comes_with_it(self):
        inner, _ = self.repository("inner", word="inside\n")
        path, _ = self.repository("outer")
        git(path, "submodule", "--quiet", "add", f"file://{inner}", "part")
        self.commit(path, run="#!/bin/sh\ncat part/word\n")
        self.assertEqual(self.value(git=f"file://{path}")["stdout"], "inside\n")

    def test_depth_fetches_no_more_of_the_history(self):
        inner, _ = self.repository("short-inner", word="one\n")
        self.commit(inner, word="two\n")
        path, first = self.repository("short")
        git(path, "submodule", "--quiet", "add", f"file://{inner}", "part")
        self.commit(path, run="#!/bin/sh\ngit log --format=%s | wc -l; git -C part log --format=%s | wc -l; cat part/word\n")
        git(path, "tag", "v2")
        last = self.commit(path, run="#!/bin/sh\ngit log --format=%s | wc -l\n")
        url = f"file://{path}"
        for revision, commit, said in ((None, last, "1\n"), ("main", last, "1\n"), ("v2", None, "1\n1\ntwo\n"),
                                       (last, last, "1\n")):
            value = self.value(git=url, depth=1, **({"revision": revision} if revision else {}))
            self.assertEqual(value["stdout"], said, revision)
            self.assertIn(commit, (None, value["commit"]))
        self.assertEqual(self.value(git=url, depth=2)["stdout"], "2\n")
        self.assertEqual(self.value(git=url)["stdout"], "3\n")
        self.assertIn("nowhere", self.error(git=url, depth=1, revision="nowhere"))
        self.assertEqual(self.error(depth=1), "exec: depth is of git, which names no repository")

    def test_what_is_missing_is_named(self):
        path, _ = self.repository("known")
        error = self.error(git=f"file://{path}", revision="nowhere")
        self.assertEqual(error, "exec: git: it has no revision nowhere")
        error = self.error(git=f"file://{self.files}/no-such-repository")
        self.assertIn("no-such-repository", error)
        self.assertNotIn("\\x", error)

    def test_no_hook_of_anybody_runs(self):
        path, _ = self.repository("hooked")
        mark = self.files / "hook-ran"
        hook = f"#!/bin/sh\ntouch {mark}\n"
        for place in (path / ".git" / "hooks", self.files / "hooks"):
            place.mkdir(exist_ok=True)
            for name in ("post-checkout", "reference-transaction", "post-index-change"):
                (place / name).write_text(hook)
                (place / name).chmod(0o755)
        settings = self.files / ".gitconfig"
        settings.write_text(f"[core]\n\thooksPath = {self.files}/hooks\n")
        self.addCleanup(settings.unlink)
        self.value(git=f"file://{path}")
        self.assertFalse(mark.exists())

    def test_files_beside_a_checkout_do_not_replace_its_own(self):
        path, _ = self.repository("beside")
        laid = self.upload(b"laid\n")
        value = self.value(git=f"file://{path}", files={"data/in": laid}, shell="./run; cat data/in")
        self.assertEqual(value["stdout"], "first\nlaid\n")
        self.assertIn("run", self.error(git=f"file://{path}", files={"run": laid}))
        for name in (".git/config", ".GIT/hooks/x", "../out", "/abs", "a/../../b", ""):
            self.assertIn("is no path below", self.error(git=f"file://{path}", files={name: laid}), name)


class Refused(Case):
    def test_a_url_that_is_no_repository_elsewhere(self):
        for url, why in (("file:///etc", "--allow-git-files"), ("/etc", "https://"), ("git://host/x", "https://"),
                         ("http://host/x", "https://"), ("ext::sh -c true", "https://"), ("host:path", "https://"),
                         ("--upload-pack=true", "https://"), ("ssh://-oProxyCommand=true/x", "has no host"),
                         ("ssh://a@-oProxyCommand=true/x", "has no host"), ("https://", "has no host"),
                         ("https://user:word@host/x", "a password"), ("https://host/a b", "blank"),
                         ("https://host/a\nb", "blank")):
            self.assertIn(why, self.error(git=url), url)

    def test_a_revision_that_is_an_option_or_an_expression(self):
        for revision in ("--upload-pack=x", "-x", "a..b", "HEAD~1", "HEAD^{tree}", "a:b", "@{1}", "a b", "a\nb", "a*"):
            self.assertIn("is no name of a revision", self.error(git="https://host/x", revision=revision), revision)

    def test_nothing_else_leads_to_a_directory_of_this_machine(self):
        # Nor what settings make of a URL: git itself is told which ways there are.
        path, _ = self.repository("local")
        settings = self.files / ".gitconfig"
        settings.write_text(f'[url "file://{path}"]\n\tinsteadOf = https://host.invalid/x\n')
        self.addCleanup(settings.unlink)
        self.assertIn("transport 'file' not allowed", self.error(git="https://host.invalid/x"))

    def test_a_revision_of_nothing(self):
        self.assertIn("names no repository", self.error(revision="main"))

    def test_code_has_a_fresh_directory(self):
        for args in ({"git": "https://host/x"}, {"files": {"a": "0" * 64}}, {"outputs": ["a"]}):
            self.assertIn("of a fresh directory", self.error(cwd="/usr", **args))


class Files(Case):
    def test_files_are_laid_and_outputs_are_kept(self):
        program = self.upload(b"#!/bin/sh\nmkdir out; echo one > out/a.log; echo two > out/b.log; echo no > c.txt\n")
        result = self.run_one(files={"bin/run": program}, argv=["bin/run"], outputs=["out/*.log", "out/a*"])
        self.assertEqual([(a["name"], a["bytes"]) for a in result["artifacts"]], [("out/a.log", 4), ("out/b.log", 4)])

    def test_a_relative_directory_is_below_the_fresh_one(self):
        laid = self.upload(b"x\n")
        self.assertEqual(self.value(files={"sub/x": laid}, cwd="sub", argv=["cat", "x"])["stdout"], "x\n")

    def test_an_output_that_is_not_there_fails_and_is_named(self):
        result = self.run_one(shell="echo said", outputs=["missing-*"])
        self.assertEqual((result["state"], result["error"]), ("failed", "exec: outputs: no file missing-*"))
        self.assertEqual(result["value"]["stdout"], "said\n")

    def test_a_link_to_elsewhere_is_no_output(self):
        script = "ln -s /etc/passwd link; ln -s /etc dir; echo x > .hidden"
        for pattern in ("link", "dir/passwd", "*", "../*", "/etc/passwd"):
            self.assertIn("no file", self.error(shell=script, outputs=[pattern]), pattern)

    def test_outputs_of_a_command_that_failed_are_kept(self):
        result = self.run_one(shell="echo why > report; exit 3", outputs=["report", "never"])
        self.assertEqual((result["state"], result["error"]), ("failed", "exit code 3"))
        self.assertEqual(result["artifact"]["name"], "report")

    def test_a_file_that_nobody_has_fails(self):
        self.assertIn("files a: ", self.error(files={"a": "0" * 64}))
        self.assertIn("is no SHA-256", self.error(files={"a": "zz"}))


class Told(Case):
    def test_what_a_command_took_is_in_its_result(self):
        burn = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
        value = self.value(shell=f"sh -c '{burn}'; {burn}")
        self.assertGreater(value["user_seconds"], self.value(argv=["true"])["user_seconds"])
        hungry = self.value(argv=["python3", "-c", "x = b'x' * 200_000_000"])
        self.assertGreater(hungry["memory_bytes"], 200_000_000)
        self.assertLess(self.value(argv=["true"])["memory_bytes"], 100_000_000)

    def test_a_signal_is_named(self):
        result = self.run_one(shell="kill -SEGV $$")
        self.assertEqual(result["error"], "exit code 139: signal 11 (SIGSEGV)")
        self.assertEqual((result["value"]["exit_code"], result["value"]["signal"]), (139, 11))



class Private(Case):
    """A repository behind a password, that the worker has as a secret."""

    WORD = "secret-of-the-repository"

    @classmethod
    def setUpClass(cls):
        cls.secrets = tempfile.NamedTemporaryFile("w", prefix="eole-secrets-")
        cls.secrets.write(f"REPOSITORY=somebody:{cls.WORD}\nTOKEN={cls.WORD}\nWRONG=somebody:of-nobody\n")
        cls.secrets.flush()
        cls.options = ("--allow-git-files", "--secrets", cls.secrets.name)
        super().setUpClass()
        cls.serve()

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.shutdown()
            server.server_close()
        super().tearDownClass()
        cls.secrets.close()

    @classmethod
    def serve(cls):
        asked = cls.asked = []

        class Files(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                said = self.headers.get("Authorization", "")
                name = base64.b64decode(said.removeprefix("Basic ")).decode()
                asked.append((self.server.server_port, name))
                if name in (f"somebody:{cls.WORD}", f"token:{cls.WORD}"):
                    return super().do_GET()
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="x"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        certificate = cls.files / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", certificate, "-out", cls.files / "authority.pem", "-subj", "/CN=test", "-days", "2",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        with open(certificate, "a") as key:
            key.write((cls.files / "authority.pem").read_text())
        (cls.files / ".gitconfig").write_text(f"[http]\n\tsslCAInfo = {cls.files}/authority.pem\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        cls.servers = []
        for _ in range(2):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=cls.files))
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            cls.servers.append(server)

    def url(self, server=0):
        if not (self.files / "private").exists():
            path, _ = self.repository("private")
            git(path, "update-server-info")
        return f"https://127.0.0.1:{self.servers[server].server_port}/private/.git"

    def test_the_worker_knows_the_password_and_the_command_does_not(self):
        for name in ("REPOSITORY", "TOKEN"):
            value = self.value(git=self.url(), git_secret=name, shell="./run; env; git config --list; grep -r secret-of .git; true")
            self.assertTrue(value["stdout"].startswith("first\n"))
            self.assertNotIn("***", value["stdout"])
        found = subprocess.run(["grep", "-rl", self.WORD, self.cluster.directory], capture_output=True, text=True)
        self.assertEqual(found.stdout, "")

    def test_without_it_or_with_a_wrong_one_it_says_so(self):
        for args in ({}, {"git_secret": "WRONG"}):
            error = self.error(git=self.url(), **args)
            self.assertTrue(error.startswith("exec: git: "), error)
            self.assertNotIn("of-nobody", error)
        self.assertIn("no secret NONE", self.error(git=self.url(), git_secret="NONE"))
        self.assertIn("https:// alone", self.error(git="ssh://host/x", git_secret="TOKEN"))

    def test_what_was_fetched_with_it_is_for_who_names_it(self):
        url = self.url()
        commit = self.value(git=url, git_secret="REPOSITORY", shell="true")["commit"]
        self.assertEqual(self.value(git=url, git_secret="REPOSITORY", revision=commit, shell="true")["commit"], commit)
        for args in ({}, {"git_secret": "WRONG"}):
            self.error(git=url, revision=commit, **args)

    def test_another_host_is_not_given_it(self):
        url = self.url()
        path, _ = self.repository("with-part")
        (path / ".gitmodules").write_text(f'[submodule "part"]\n\tpath = part\n\turl = {self.url(1)}\n')
        git(path, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},part")
        git(path, "add", ".gitmodules")
        git(path, "commit", "--quiet", "--message", "A part")
        git(path, "update-server-info")
        self.error(git=url.replace("private", "with-part"), git_secret="REPOSITORY")
        first, second = (server.server_port for server in self.servers)
        self.assertIn((first, f"somebody:{self.WORD}"), self.asked)
        self.assertEqual({said for port, said in self.asked if port == second}, {""})


if __name__ == "__main__":
    unittest.main()
