"""runc behind the contract of container: a bundle of its own for each run."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import front


def runc(options, folder):
    name = front.bundle(options, folder)
    log, state = os.path.join(folder, "log"), os.path.join(folder, "state")
    status = front.run([front.found("runc"), "--root", state, "--log", log, "run", "--bundle", folder, name])
    lines = open(log, errors="replace").read().splitlines() if os.path.exists(log) else []
    said = [line for line in lines if "level=error" in line or "level=fatal" in line]
    if said and status != 0:
        raise front.failure(said[-1], options.command[0])
    return status


front.main(runc)
