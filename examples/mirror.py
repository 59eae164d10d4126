"""A mirror of a site's files: those that a page links below itself, or those of a metalink (RFC 5854), a task each.

    eole up &
    python3 mirror.py https://example.org/releases/ releases
    python3 mirror.py release.meta4 releases      # with its mirrors, checked by its digests

What a metalink says is checked by the workers while the bytes come. Links to anywhere else are left alone.
"""

import html.parser
import json
import subprocess
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree

METALINK = "{urn:ietf:params:xml:ns:metalink}"
DIGESTS = {"sha-256": "sha256", "sha-1": "sha1", "md5": "md5"}


class Links(html.parser.HTMLParser):
    """Files directly below a page."""

    def __init__(self, page):
        super().__init__()
        self.page, self.found = urllib.parse.urljoin(page, "."), {}

    def handle_starttag(self, tag, attrs):
        url = urllib.parse.urljoin(self.page, dict(attrs).get("href") or "" if tag == "a" else "")
        name = urllib.parse.urldefrag(url).url.removeprefix(self.page)
        if url.startswith(self.page) and name and not set("/?") & set(name):
            self.found[self.page + name] = None


def of_page(url):
    with urllib.request.urlopen(url, timeout=60) as page:
        links = Links(page.url)
        links.feed(page.read().decode("utf-8", "replace"))
    return [{"url": each} for each in links.found]


def of_metalink(path):
    for file in xml.etree.ElementTree.parse(path).getroot().iter(METALINK + "file"):
        urls = sorted(file.iter(METALINK + "url"), key=lambda url: int(url.get("priority", 999_999)))
        urls = [url.text.strip() for url in urls if url.text.strip().startswith(("http://", "https://"))]
        if not urls:
            sys.exit(f"{path}: {file.get('name')}: no URL that is http or https")
        args = {"url": urls[0], "name": file.get("name").rsplit("/", 1)[-1]}
        if urls[1:]:
            args["mirrors"] = urls[1:65]
        for digest in file.iter(METALINK + "hash"):
            if (kind := DIGESTS.get(digest.get("type"))) and digest.text:
                args[kind] = digest.text.strip()
        if size := file.findtext(METALINK + "size"):
            args["size_max"] = int(size)
        yield args


def main(source, directory):
    files = of_page(source) if source.startswith(("http://", "https://")) else of_metalink(source)
    tasks = "".join(json.dumps({"kind": "download", "args": args}) + "\n" for args in files)
    if not tasks:
        sys.exit(f"{source}: no file")
    done = subprocess.run(["eole", "submit", "--file", "-", "--wait", "--to", directory], input=tasks, text=True,
                          stdout=subprocess.PIPE, check=False)
    for result in map(json.loads, done.stdout.splitlines()):
        print(result["state"], result.get("artifact", {}).get("name") or result.get("error"))
    sys.exit(done.returncode)


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) == 3 else sys.exit(__doc__)
