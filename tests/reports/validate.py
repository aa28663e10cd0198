"""Checks reports on standard input: a line of JSON each, {"format": "sarif" or "junit", "name", "text"}.

Says what is wrong on standard output, a line each, and how many reports it looked at.
"""

import json
import pathlib
import sys

import jsonschema
from lxml import etree

folder = pathlib.Path(sys.argv[1])
schema = json.loads((folder / "sarif.json").read_text())
sarif = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
junit = etree.XMLSchema(etree.parse(str(folder / "junit.xsd")))

count = 0
for line in sys.stdin:
    report = json.loads(line)
    count += 1
    if report["format"] == "sarif":
        for error in sarif.iter_errors(json.loads(report["text"])):
            print(f"{report['name']}: {error.json_path}: {error.message}")
        continue
    try:
        tree = etree.fromstring(report["text"].encode())
    except etree.XMLSyntaxError as error:
        print(f"{report['name']}: {error}")
        continue
    if not junit.validate(tree):
        for error in junit.error_log:
            print(f"{report['name']}: {error.line}: {error.message}")
print(f"checked {count}")
