#!/usr/bin/env python3
"""Every import of runtime/include/nur/imports.def stands in a table of the documentation, with its type,
and no table has an import that there is not."""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
PAGES = {"nur": ["guest-abi"], "env": ["guest-abi", "standard-api"], "wasi_snapshot_preview1": ["wasi"]}
LETTERS = {"i32": "i", "i64": "I", "f32": "f", "f64": "F", "text": "iI", "room": "iI"}
EXPORTS = {"alloc", "poll_stream", "handle", "_initialize"}


def imports():
    with open(os.path.join(ROOT, "runtime/include/nur/imports.def"), encoding="utf-8") as file:
        return re.findall(r'^NUR_IMPORT\((\w+), (\w+), "(\w*)", "(\w*)"\)', file.read(), re.M)


def documented(page):
    """{(name, parameters, results)} of the tables of a page."""
    rows = set()
    with open(os.path.join(ROOT, f"docs/{page}.md"), encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) < 3 or cells[0]:
                continue
            type_ = re.fullmatch(r"\((.*)\) -> (\(\)|\w+)", cells[2])
            if not type_ or type_[2] == "any":
                continue
            words = [text.split()[0] for text in type_[1].split(",") if text.strip()]
            parameters = "".join(LETTERS[word] for word in words)
            results = "" if type_[2] == "()" else LETTERS[type_[2]]
            for name in re.findall(r"`(\w+)`", cells[1]):
                rows.add((name, parameters, results))
    return rows


def main():
    wrong = 0
    known = set()
    offered = imports()
    for module, name, parameters, results in offered:
        rows = set().union(*(documented(page) for page in PAGES[module]))
        known.add((name, parameters, results))
        if (name, parameters, results) in rows:
            continue
        # The older form of a call, which returned nothing.
        if results == "" and any(row[:2] == (name, parameters) for row in rows):
            continue
        print(f"{module}.{name} ({parameters}) -> ({results}) is in no table of "
              f"docs/{', docs/'.join(PAGES[module])}", file=sys.stderr)
        wrong += 1
    for page in sorted({page for pages in PAGES.values() for page in pages}):
        for row in documented(page) - known:
            if row[0] not in EXPORTS:
                print(f"docs/{page}.md has {row}, which is no import", file=sys.stderr)
                wrong += 1
    print(f"{len(offered)} imports, {wrong} wrong")
    return 1 if wrong or len(offered) < 80 else 0


sys.exit(main())
