"""A container runtime of another design: unshare() in a helper that stays between, MS_MOVE instead of pivot_root, a
process that is moved into its cgroup, and no hardening.

It is right in stages 1 to 4, and in most of stage 5."""

import ctypes
import os
import re
import signal
import sys
import warnings  # os.execvp asks for it: afterwards there is no library to load it from

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWPID = 0x20000, 0x4000000, 0x20000000
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 0x1000, 0x2000, 0x4000, 0x40000
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
FORWARDED = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]

libc = ctypes.CDLL(None, use_errno=True)
libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


class Failed(Exception):
    """The runtime cannot go on; the status, and a sentence."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


def checked(what, result):
    if result < 0:
        raise Failed(125, f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source, place, kind, flags):
    text = lambda value: value and os.fsencode(value)
    checked(f"mount on {place}", libc.mount(text(source), text(place), text(kind), flags, None))


def size(text):
    match = re.fullmatch(r"([0-9]+)([KMGkmg]?)", text, re.ASCII)
    number = match and int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2].upper()]
    if not number or number >= 1 << 64:
        raise Failed(125, f"--memory {text}: a size is a number of bytes, or of K, M or G")
    return number


def parsed(words):
    if words[:1] != ["run"]:
        raise Failed(125, f"usage: container run [--hostname NAME] [--memory SIZE] ROOTFS CMD…; not {words[:1]}")
    words = words[1:]
    hostname = memory = None
    while words and words[0].startswith("-"):
        option, value = words[0], words[1] if len(words) > 1 else None
        if option not in ("--hostname", "--memory"):
            raise Failed(125, f"there is no option {option}")
        if value is None:
            raise Failed(125, f"{option} needs a value")
        if option == "--memory":
            memory = size(value)
        elif not 1 <= len(os.fsencode(value)) <= 64:
            raise Failed(125, f"a hostname has 1 to 64 bytes, not {value!r}")
        else:
            hostname = value
        words = words[2:]
    if len(words) < 2:
        raise Failed(125, "ROOTFS and CMD are missing")
    return hostname, memory, words[0], words[1:]


class Cgroup:
    """A limit, beside the cgroup that we are in."""

    def __init__(self, size_bytes):
        table = [line.split() for line in open("/proc/self/mountinfo")]
        mounts = [line[4] for line in table if line[line.index("-") + 1] == "cgroup2"]
        paths = [line[3:].strip() for line in open("/proc/self/cgroup") if line.startswith("0::")]
        if not mounts or not paths or paths[0] == "/":
            raise Failed(125, "--memory: we are in no cgroup of version 2")
        home = os.path.dirname(mounts[0] + paths[0])
        self.folder = os.path.join(home, f"box-{os.urandom(8).hex()}")
        try:
            # Where it is enabled already, this changes nothing.
            self.write(home, "cgroup.subtree_control", "+memory")
            os.mkdir(self.folder)
        except OSError as error:
            raise Failed(125, f"--memory: {error}")
        try:
            self.write(self.folder, "memory.max", size_bytes)
            self.write(self.folder, "memory.swap.max", 0)
        except OSError as error:
            self.remove()
            raise Failed(125, f"--memory: {error}")

    @staticmethod
    def write(folder, file, value):
        with open(os.path.join(folder, file), "w") as opened:
            opened.write(f"{value}\n")

    def add(self, pid):
        self.write(self.folder, "cgroup.procs", pid)

    def remove(self):
        os.rmdir(self.folder)


def change_root(root):
    """Moves the root's mount over everything, as initramfs systems do."""
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount(root, root, None, MS_BIND | MS_REC)
    os.chdir(root)
    mount("proc", "proc", "proc", 0)
    mount(".", "/", None, MS_MOVE)
    os.chroot(".")
    os.chdir("/")


def run_command(command):
    for number in FORWARDED + [signal.SIGPIPE, signal.SIGXFSZ]:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.closerange(3, 1 << 16)
    try:
        os.execvp(command[0], command)
    except FileNotFoundError as error:
        # The file is there, and its interpreter is not.
        raise Failed(126 if os.path.exists(command[0]) else 127, f"{command[0]}: {error.strerror}")
    except OSError as error:
        raise Failed(126, f"{command[0]}: {error.strerror}")


def first_inside(hostname, root, command, allowed):
    """Pid 1 of the container, from fork to exec."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if not os.read(allowed, 1):
        os._exit(125)
    if hostname is not None:
        name = os.fsencode(hostname)
        checked("sethostname", libc.sethostname(name, len(name)))
    change_root(root)
    run_command(command)


def ended(child):
    status = os.waitpid(child, 0)[1]
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def supervised(act):
    """A child that does this; a failure is said on stderr, and is its status."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except Failed as failed:
            os.write(2, f"container: {failed}\n".encode())
            os._exit(failed.status)
        except BaseException as error:
            os.write(2, f"container: {error}\n".encode())
        os._exit(125)
    return child


def contained(hostname, memory, root, command):
    if not os.path.isdir(root):
        raise Failed(125, f"{root} is no folder")
    root = os.path.realpath(root)
    cgroup = Cgroup(memory) if memory is not None else None
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    told, tell = os.pipe()
    allowed, allow = os.pipe()

    def helper():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        checked("unshare", libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID))
        os.close(allow)
        first = supervised(lambda: first_inside(hostname, root, command, allowed))
        os.write(tell, str(first).encode())
        os.close(tell)
        os._exit(ended(first))

    try:
        between = supervised(helper)
        os.close(tell)
        os.close(allowed)
        first = int(os.read(told, 32) or 0)
        if first:
            if cgroup:
                cgroup.add(first)
            os.write(allow, b"!")
        return waited(between, first)
    finally:
        if cgroup:
            cgroup.remove()


def waited(between, first):
    """Passes signals on until the helper has ended."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    while True:
        number = signal.sigwait(FORWARDED + [signal.SIGCHLD])
        if number != signal.SIGCHLD:
            if first:
                os.kill(first, number)
        elif os.waitid(os.P_PID, between, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return ended(between)


def main():
    try:
        return contained(*parsed(sys.argv[1:]))
    except Failed as failed:
        sys.stderr.write(f"container: {failed}\n")
        return failed.status
    except OSError as error:
        sys.stderr.write(f"container: {error}\n")
        return 125


sys.exit(main())
