"""Every route of the gateway is in its OpenAPI document, with the role that it takes, and nothing else is."""

import json
import os
import re

DOCUMENT = "gateway/openapi.json"
SOURCES = "gateway/io"
CONSTANT = re.compile(r'constexpr std::string_view (k\w+) = "(/[^"]*)";')
ROUTE = re.compile(r'routes\.add\(\s*\{\s*"([A-Z]+)",\s*(?:"(/[^"]*)"|(k\w+)),\s*([\w:]+)')
ROLES = {"kObserve": "observe", "see": "observe", "kSubmit": "submit", "kAdmin": "admin", "kAnybody": "anybody"}


def in_source(text):
    """(method, path) -> the role that it takes."""
    paths = dict(CONSTANT.findall(text))
    return {(method, path or paths.get(name, name)): ROLES.get(role.split("::")[-1], role)
            for method, path, name, role in ROUTE.findall(text)}


def in_document(text):
    """The same; who may ask without a token is anybody."""
    return {(method.upper(), path): "anybody" if about.get("security") == [] else about.get("x-role", "missing")
            for path, item in json.loads(text)["paths"].items() for method, about in item.items() if method != "parameters"}


def compare(routes, documented):
    for method, path in sorted(routes.keys() - documented.keys()):
        yield f"{DOCUMENT}: has no {method} {path}"
    for method, path in sorted(documented.keys() - routes.keys()):
        yield f"{DOCUMENT}: has {method} {path}, which is no route"
    for method, path in sorted(documented.keys() & routes.keys()):
        wanted, said = routes[method, path], documented[method, path]
        if wanted != said:
            yield f"{DOCUMENT}: says role {said} of {method} {path}, which takes {wanted}"


def problems(root):
    routes = {}
    for name in os.listdir(os.path.join(root, SOURCES)):
        if name.endswith(".cpp"):
            with open(os.path.join(root, SOURCES, name), encoding="utf-8") as file:
                routes |= in_source(file.read())
    with open(os.path.join(root, DOCUMENT), encoding="utf-8") as file:
        return compare(routes, in_document(file.read()))


def self_test():
    source = ('constexpr std::string_view kOne = "/a/{id}";\nroutes.add({"GET", kOne, net::Role::kAdmin, x});\n'
              'routes.add({"PUT", "/b", see, x});\nroutes.add({"GET", "/b", kAnybody, x});')
    document = ('{"paths": {"/a/{id}": {"parameters": [], "get": {"x-role": "submit"}, "delete": {}},'
                ' "/b": {"get": {"security": []}}}}')
    if len(list(compare(in_source(source), in_document(document)))) != 3:
        yield "routes does not notice a route or a document that stands alone, or another role"
