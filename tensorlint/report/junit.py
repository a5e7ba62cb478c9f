"""``--output-format junit``: one test suite a file, one failed test case a finding."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import groupby

from tensorlint.findings import Finding
from tensorlint.report import Report, Style
from tensorlint.report.portable import message, shown_portable_path
from tensorlint.report.text import codes, visible


def render(report: Report, style: Style) -> str:
    root = ET.Element("testsuites", {"name": "tensorlint", **_counts(report.findings)})
    for path, group in groupby(report.findings, key=lambda finding: finding.path):
        findings = tuple(group)
        shown = shown_portable_path(path, style)
        suite = ET.SubElement(root, "testsuite", {"name": shown, **_counts(findings)})
        for finding in findings:
            _case(suite, shown, finding, report)
    if not report.findings:
        # A report without any test is a lost one to some readers.
        passed = {"tests": "1", "failures": "0", "errors": "0"}
        root.attrib |= passed
        suite = ET.SubElement(root, "testsuite", {"name": "tensorlint", **passed})
        ET.SubElement(suite, "testcase", {"name": "no findings", "classname": "tensorlint"})
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _counts(findings: tuple[Finding, ...]) -> dict[str, str]:
    errors = sum(finding.is_internal for finding in findings)
    return {"tests": str(len(findings)), "failures": str(len(findings) - errors), "errors": str(errors)}


def _case(suite: ET.Element, path: str, finding: Finding, report: Report) -> None:
    span = report.in_file(finding.path, finding.span)
    said = visible(message(finding, report))
    place = {"file": path, "line": str(span.row), "column": str(span.column)}
    case = ET.SubElement(suite, "testcase", {"name": f"tensorlint.{finding.code}", "classname": path, **place})
    kind = "error" if finding.is_internal else "failure"
    what = ET.SubElement(case, kind, {"message": said})
    what.text = f"line {span.row}, column {span.column}: {codes(finding)} {said}"
    if finding.help:
        what.text += f"\n{visible(finding.help)}"
