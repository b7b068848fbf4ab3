"""How a test program ends."""

import faulthandler
import os
import sys
import unittest


def main() -> None:
    """Runs the tests of the calling program and ends the process without finalizing the interpreter.

    Threads of the SDK's core may still let go of the interpreter's lock when it is finalized, on which Python aborts
    ("PyGILState_Release: thread state must be current when releasing"), whatever the tests said.
    """
    faulthandler.dump_traceback_later(240, exit=True)
    program = unittest.main(module="__main__", exit=False)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if program.result.wasSuccessful() else 1)
