"""crun behind the contract of container: a bundle of its own for each run."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import front


def crun(options, folder):
    name = front.bundle(options, folder)
    log, state = os.path.join(folder, "log"), os.path.join(folder, "state")
    manager = "disabled" if options.memory is None else "cgroupfs"
    words = [front.found("crun"), "--root", state, "--log", log, "--cgroup-manager", manager]
    status = front.run(words + ["run", "--bundle", folder, name])
    said = open(log, errors="replace").read().strip() if os.path.exists(log) else ""
    # What it says itself is about a command that did not run.
    if said and status != 0:
        raise front.failure(said.splitlines()[-1], options.command[0])
    return status


front.main(crun)
