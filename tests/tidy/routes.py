"""Every route of the gateway is in its OpenAPI document, with the role that it takes and whether it serves who has a
prefix, and nothing else is."""

import json
import os
import re

DOCUMENT = "gateway/openapi.json"
SOURCES = "gateway/io"
CONSTANT = re.compile(r'constexpr std::string_view (k\w+) = "(/[^"]*)";')
ROUTE = re.compile(r'routes\.add\(\s*\{\s*"([A-Z]+)",\s*(?:"(/[^"]*)"|(k\w+)),\s*([\w:]+),\s*Reach::(\w+)')
ROLES = {"kObserve": "observe", "see": "observe", "kSubmit": "submit", "kAdmin": "admin", "kAnybody": "anybody"}


def in_source(text):
    """(method, path) -> the role that it takes, and whom it serves."""
    paths = dict(CONSTANT.findall(text))
    routes = {}
    for method, path, name, role, reach in ROUTE.findall(text):
        role = ROLES.get(role.split("::")[-1], role)
        within = " within" if reach == "kWithin" and role != "anybody" else ""
        routes[method, path or paths.get(name, name)] = role + within
    return routes


def in_document(text):
    """The same; who may ask without a token is anybody."""
    def said(about):
        if about.get("security") == []:
            return "anybody"
        return about.get("x-role", "missing") + (" within" if about.get("x-within") else "")
    return {(method.upper(), path): said(about)
            for path, item in json.loads(text)["paths"].items() for method, about in item.items() if method != "parameters"}


def compare(routes, documented):
    for method, path in sorted(routes.keys() - documented.keys()):
        yield f"{DOCUMENT}: has no {method} {path}"
    for method, path in sorted(documented.keys() - routes.keys()):
        yield f"{DOCUMENT}: has {method} {path}, which is no route"
    for method, path in sorted(documented.keys() & routes.keys()):
        wanted, said = routes[method, path], documented[method, path]
        if wanted != said:
            yield f"{DOCUMENT}: says {said!r} of {method} {path}, which is for {wanted!r}"


def problems(root):
    routes = {}
    for name in os.listdir(os.path.join(root, SOURCES)):
        if name.endswith(".cpp"):
            with open(os.path.join(root, SOURCES, name), encoding="utf-8") as file:
                routes |= in_source(file.read())
    with open(os.path.join(root, DOCUMENT), encoding="utf-8") as file:
        return compare(routes, in_document(file.read()))


def self_test():
    source = ('constexpr std::string_view kOne = "/a/{id}";\nroutes.add({"GET", kOne, net::Role::kAdmin, Reach::kOfAll, x});\n'
              'routes.add({"PUT", "/b", see, Reach::kWithin, x});\n'
              'routes.add({"GET", "/b", kAnybody, Reach::kWithin, x});\n'
              'routes.add({"GET", "/c", see, Reach::kOfAll, x});')
    document = ('{"paths": {"/a/{id}": {"parameters": [], "get": {"x-role": "submit"}, "delete": {}},'
                ' "/b": {"get": {"security": []}}, "/c": {"get": {"x-role": "observe", "x-within": true}}}}')
    if len(list(compare(in_source(source), in_document(document)))) != 4:
        yield "routes does not notice a route or a document that stands alone, another role or reach"
