"""Sums the JUnit files of a folder: the last line is `N passed, N failed`, the status 1 where anything failed."""

import pathlib
import sys
import xml.etree.ElementTree as xml

reports = pathlib.Path(sys.argv[1])
passed = failed = skipped = 0
for status in sorted(reports.glob("*.status")):
    stage, stage_failed = status.stem, 0
    # `swift test` writes XCTest's results to NAME.xml and Swift Testing's to NAME-swift-testing.xml.
    for report in reports.glob(f"{stage}*.xml"):
        for case in xml.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                stage_failed += 1
                print(f"failed: {stage}: {case.get('classname')}.{case.get('name')}")
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    code = int(status.read_text())
    if code != 0 and stage_failed == 0:
        stage_failed = 1
        print(f"failed: {stage}: exit status {code}")
    failed += stage_failed
if skipped:
    print(f"skipped, each named above: {skipped}")
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
