"""
ministack, with what it lacks of AWS and this project's state machine stands on.

    python launcher.py DIRECTORY        # in the environment that emulator.ts sets

step_functions.py
    - A Distributed Map that fails as AWS's does: MaxConcurrencyPath is read (ministack ignores it), an intolerable failure
      stops the map at once, children have a context of their own, ResultWriter (ignored as well) puts
      what they gave into the bucket, and a line of JSON Lines ends at a line feed only (names may
      hold U+2028). What the map here does not know (ItemBatcher, JSONata) is refused, not ignored.
    - An execution that is stopped stays ABORTED, its children with it, and starts no further task.
    - Retry heeds MaxDelaySeconds and JitterStrategy. States.ALL leaves out States.Runtime and States.DataLimitExceeded.
    - Inputs and results of more than 256 KiB are refused.
lambdas.py
    - An error's name reaches Retry and Catch (ministack says Runtime.HandlerError for each), a throttled function is
      Lambda.TooManyRequestsException, a process that dies is Runtime.ExitError, and one that fails stays warm.
    - What EventBridge could not deliver to a function is tried again, as every asynchronous invocation.
cloudformation.py
    - Ref of a secret is its ARN. A function's reserved concurrency is set. An alarm on a sum of metrics is taken, as one on
      the first of them.
here
    - No second port: with TLS ministack also binds 443, which two test runs cannot share.
    - The server and its Lambdas end, and DIRECTORY with them, when the process that started it does.
"""

import os
import shutil
import signal
import sys
import threading
from importlib.metadata import version

MADE_FOR = "1.5.33"


def end_with_parent(directory):
    """Standard input is a pipe from the parent: it closes when that ends, however it ends."""
    while os.read(0, 4096):
        pass
    shutil.rmtree(directory, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def main():
    if version("ministack") != MADE_FOR:
        raise SystemExit(f"ministack {version('ministack')}: the additions here are made for {MADE_FOR}")
    if os.getpgrp() != os.getpid():
        raise SystemExit("it ends its whole process group, so it must lead one")
    threading.Thread(target=end_with_parent, args=(sys.argv.pop(1),), daemon=True).start()
    import cloudformation
    import lambdas
    import step_functions
    from ministack import app

    for additions in (lambdas, step_functions, cloudformation):
        additions.install()
    app._port_is_bindable = lambda host, port: False
    app.main()


if __name__ == "__main__":
    main()
