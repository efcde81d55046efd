"""Runs the test functions of one file on any interpreter: portable_runner.py FILE [NAME ...]

Prints one line a test, `PASS name` or `FAIL name`, a failure followed by its traceback, then `DONE`. No pytest, so that MicroPython can.
"""

import sys


def traceback_text(error):
    if hasattr(sys, "print_exception"):  # MicroPython
        import io

        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue()
    import traceback

    return "".join(traceback.format_exception(error))


def main(path, wanted):
    folder, _, name = path.rpartition("/")
    sys.path.insert(0, folder)
    module = __import__(name[:-3])
    for test in [name for name in dir(module) if name.startswith("test_")]:
        if wanted and test not in wanted:
            continue
        try:
            getattr(module, test)()
        except Exception as error:
            print("FAIL", test)
            print(traceback_text(error).strip().replace("\n", "\n  "))
        else:
            print("PASS", test)
    print("DONE")


main(sys.argv[1], sys.argv[2:])
