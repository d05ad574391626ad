"""Running a file's cases: functions called test_*, each in an empty folder of its own, whatever the others came to."""
import os
import sys
import tempfile
import time
import traceback

SLOW = 1  # seconds from which a case is named


def run(cases, kinds=("test_",), wanted=()):
    """Those of `cases` (a module's globals()) whose names begin with one of `kinds` and have one of the words `wanted` in them (none:
    all), in the order of the file.  Prints the line that closes every test program; true when one failed."""
    home = os.getcwd()
    passed = failed = 0
    for name, case in [(n, c) for n, c in cases.items() if n.startswith(kinds)]:
        if wanted and not any(w in name for w in wanted):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                case()
                passed += 1
            except Exception:  # an assertion, or whatever a wrong reply led to
                failed += 1
                print(f"{name} failed", file=sys.stderr)
                traceback.print_exc()
            os.chdir(home)
        if time.monotonic() - began > SLOW:
            print(f"{time.monotonic() - began:6.2f} s  {name}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0
