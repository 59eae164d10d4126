"""Every route of the gateway is in its OpenAPI document, and nothing else is."""

import json
import os
import re

DOCUMENT = "gateway/openapi.json"
SOURCES = "gateway/io"
CONSTANT = re.compile(r'constexpr std::string_view (k\w+) = "(/[^"]*)";')
ROUTE = re.compile(r'routes\.add\(\s*\{\s*"([A-Z]+)",\s*(?:"(/[^"]*)"|(k\w+))')


def in_source(text):
    paths = dict(CONSTANT.findall(text))
    return {(method, path or paths.get(name, name)) for method, path, name in ROUTE.findall(text)}


def in_document(text):
    return {(method.upper(), path) for path, item in json.loads(text)["paths"].items() for method in item
            if method != "parameters"}


def compare(routes, documented):
    yield from (f"{DOCUMENT}: has no {method} {path}" for method, path in sorted(routes - documented))
    yield from (f"{DOCUMENT}: has {method} {path}, which is no route" for method, path in sorted(documented - routes))


def problems(root):
    routes = set()
    for name in os.listdir(os.path.join(root, SOURCES)):
        if name.endswith(".cpp"):
            with open(os.path.join(root, SOURCES, name), encoding="utf-8") as file:
                routes |= in_source(file.read())
    with open(os.path.join(root, DOCUMENT), encoding="utf-8") as file:
        return compare(routes, in_document(file.read()))


def self_test():
    source = 'constexpr std::string_view kOne = "/a/{id}";\nroutes.add({"GET", kOne, x});\nroutes.add({"PUT", "/b", x});'
    document = '{"paths": {"/a/{id}": {"parameters": [], "get": {}, "delete": {}}}}'
    if len(list(compare(in_source(source), in_document(document)))) != 2:
        yield "routes does not notice a route or a document that stands alone"
