"""Clients that only count: each asks many times, in its own way, and every answer must be a good one."""

import json
import pathlib
import re
import subprocess
import tempfile

from cluster import Cluster
from http_client import Http
from judge import Missing, tool
from test_http_access import Client, add, beyond

COUNT = 20_000
# Of its own certificate testssl says what is true of it: nobody but its owner vouches for it.
OF_OWN_CERTIFICATE = ("cert_", "DNS_CAArecord", "OCSP_", "overall_grade", "grade_cap", "final_score", "HSTS", "security_headers",
                      "banner_", "service", "scan", "BREACH")  # What is compressed are files, which have no secrets.


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600).stdout


def h2load(program, url):
    """16 requests at a time on a connection, one behind the other."""
    text = said(program, "--h1", "-n", str(COUNT), "-c", "8", "-m", "16", url)
    return re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", text), text


def hey(program, url):
    text = said(program, "-n", str(COUNT), "-c", "50", url)
    good = re.search(r"\[200\]\s+(\d+) responses", text)
    return good and "Error distribution" not in text and good, text


def ab(program, url):
    text = said(program, "-n", str(COUNT), "-c", "50", "-k", url)
    good = re.search(r"Complete requests:\s+(\d+)", text)
    return re.search(r"Failed requests:\s+0\n", text) and "Non-2xx" not in text and good, text


def siege(program, url):
    text = said(program, "-b", "-c", "20", "-r", str(COUNT // 20), "-j", url)
    report = json.loads(text[text.index("{"):])
    return report["failed_transactions"] == 0 and re.match(r"(\d+)", str(report["transactions"])), text


def clients(_seconds):
    missing = []
    with Cluster(workers=0) as cluster:
        url = f"http://127.0.0.1:{Http(cluster).port}/healthz"
        for judge, package in ((h2load, "nghttp2-client"), (hey, "hey"), (ab, "apache2-utils"), (siege, "siege")):
            try:
                counted, text = judge(tool(judge.__name__, f"Debian: {package}"), url)
            except Missing as error:
                missing.append(str(error))
                continue
            assert counted and int(counted[1]) == COUNT, f"{judge.__name__}: {text}"
            print(f"clients: {judge.__name__}: {counted[1]} requests, all of them answered well", flush=True)
    if missing:
        raise Missing("; ".join(missing))


def words():
    """Names that lead out of a place, as lists for such tools have them."""
    ups = [up * depth for up in ("../", "..\\", "..%2f", "%2e%2e/", "..%252f", "....//", "..;/", "%c0%ae%c0%ae/", "..%00/")
           for depth in (1, 3, 8)]
    return [up + name for up in ups for name in ("etc/passwd", "etc/shadow", "proc/self/environ", "tokens.toml", "keys.toml")]


def names(_seconds):
    """ffuf: no name of a file leads out, and no name of a host is taken but this machine's."""
    program = tool("ffuf", "Debian: ffuf")
    with Cluster(workers=0) as cluster, tempfile.TemporaryDirectory() as directory:
        home = f"http://127.0.0.1:{Http(cluster).port}"
        lists = {"paths": words(), "hosts": ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "0", "2130706433",
                                             "localhost@evil.example", "169.254.169.254", "[::ffff:7f00:1]:1", "LOCALHOST%00"]}
        for name, lines in lists.items():
            pathlib.Path(directory, name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        asked = 0
        for words_of, *what in (("paths", "-u", f"{home}/FUZZ"), ("paths", "-u", f"{home}/download?file_name=FUZZ"),
                                ("paths", "-u", f"{home}/status?file_name=FUZZ"), ("paths", "-u", f"{home}/artifact/FUZZ"),
                                ("paths", "-u", f"{home}/uploads/FUZZ"), ("hosts", "-u", f"{home}/tasks", "-H", "Host: FUZZ")):
            found = said(program, "-s", "-w", f"{directory}/{words_of}", "-mc", "200-399,500-599", *what)
            assert not found, f"ffuf {what}: {found}"
            asked += len(lists[words_of])
        print(f"names: ffuf asked {asked} times, and nothing was found", flush=True)


def tls(_seconds):
    """sslscan and testssl of a gateway beyond this machine's own address."""
    host = beyond()
    if not host:
        raise Missing("this machine has no address that others reach")
    sslscan, testssl = tool("sslscan", "Debian: sslscan"), tool("testssl", "Debian: testssl.sh")
    with Cluster("--http", f"{host}:0", workers=0) as cluster, tempfile.TemporaryDirectory() as directory:
        client = Client(cluster, add(cluster, "boss", "admin"), trusted=cluster.directory + "/eole/data/gateway/certificate.pem")
        place = f"{host}:{client.port}"
        scanned = said(sslscan, "--no-colour", place)
        old = [line for line in scanned.splitlines() if re.match(r"(SSLv[23]|TLSv1\.[01])\s+enabled", line)]
        weak = [line for line in scanned.splitlines()
                if (line.startswith(("Accepted", "Preferred"))) and int(line.split()[2]) < 128]
        assert "TLSv1.3   enabled" in scanned and not old and not weak, scanned
        file = pathlib.Path(directory, "found.json")
        said(testssl, "--quiet", "--color", "0", "--warnings", "batch", "--jsonfile", str(file), place)
        found = [each for each in json.loads(file.read_text(encoding="utf-8"))
                 if each["severity"] in ("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL")]
        wrong = [f"{each['id']}: {each['finding']}" for each in found if not each["id"].startswith(OF_OWN_CERTIFICATE)]
        assert not wrong, f"testssl: {wrong}"
        print(f"tls: sslscan and testssl find nothing but what is the certificate's: "
              f"{sorted({each['id'].split(' ')[0] for each in found})}", flush=True)
