"""The command line of the contract, and the life of a runtime that somebody else wrote: for the adapters beside this.

Few imports, and none of what those bring: in a throw-away kernel an interpreter's start is most of a run."""

import _signal as signal  # `signal` itself brings enumerations
import os
import sys

FORWARDED = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
SUFFIXES = {"K": 10, "M": 20, "G": 30}


class Failed(Exception):
    """The status to end with, and a sentence."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


class Options:
    """What was asked for."""

    def __init__(self, words):
        if words[:1] != ["run"]:
            raise Failed(125, f"usage: container run [--hostname NAME] [--memory SIZE] ROOTFS CMD…; not {words[:1]}")
        self.hostname = self.memory = None
        words = words[1:]
        while words and words[0].startswith("-"):
            option, value = words[0], words[1] if len(words) > 1 else None
            if option not in ("--hostname", "--memory"):
                raise Failed(125, f"there is no option {option}")
            if value is None:
                raise Failed(125, f"{option} needs a value")
            if option == "--memory":
                self.memory = size(value)
            else:
                self.hostname = name(value)
            words = words[2:]
        if len(words) < 2:
            raise Failed(125, "ROOTFS and CMD are missing")
        if not os.path.isdir(words[0]):
            raise Failed(125, f"{words[0]} is no directory")
        self.root = os.path.realpath(words[0])
        self.command = words[1:]


def size(text):
    digits, shift = (text[:-1], SUFFIXES[text[-1].upper()]) if text[-1:].upper() in SUFFIXES else (text, 0)
    number = int(digits) << shift if digits.isascii() and digits.isdigit() else 0
    if not 0 < number < 1 << 64:
        raise Failed(125, f"--memory {text}: a size is a number of bytes, or of K, M or G")
    return number


def name(text):
    if not 1 <= len(os.fsencode(text)) <= 64:
        raise Failed(125, f"a hostname has 1 to 64 bytes, not {text!r}")
    return text


def found(program):
    """Where a program is. The caller's PATH is the command's, and may lead nowhere here."""
    places = [os.path.join(folder, program) for folder in ("/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin")]
    for place in places:
        if os.path.exists(place):
            return place
    raise Failed(125, f"there is no {program}")


def cgroup_beside_ours():
    """A path for a cgroup beside the one that we are in, from the top of cgroup2."""
    paths = [line[3:].strip() for line in open("/proc/self/cgroup") if line.startswith("0::")]
    if not paths:
        raise Failed(125, "--memory: there is no cgroup2")
    return os.path.join(os.path.dirname(paths[0]), f"other-runtime-{os.getpid()}")


def run(command):
    """Runs a program and passes signals on to it; returns its status as a shell would have it."""
    # Blocked until there is somebody to pass them on to.
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    child = os.fork()
    if child == 0:
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        try:
            os.execvp(command[0], command)
        except OSError as error:
            print(f"container: {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(125)
    for number in FORWARDED:
        signal.signal(number, lambda number, _: os.kill(child, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def main(runtime):
    """Runs `runtime(options, folder)` in a folder of its own, which goes with it."""
    folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"other-runtime-{os.getpid()}")
    try:
        os.mkdir(folder, 0o700)
        try:
            status = runtime(Options(sys.argv[1:]), folder)
        finally:
            remove(folder)
    except (Failed, OSError) as error:
        print(f"container: {error}", file=sys.stderr)
        status = getattr(error, "status", 125)
    sys.exit(status)


def remove(folder):
    """Empties a folder and removes it. What cannot be removed is said, and stays: the status is the command's."""
    try:
        remove_all(folder)
    except OSError as error:
        print(f"container: {error}", file=sys.stderr)


def remove_all(folder):
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            remove_all(entry.path)
        else:
            os.unlink(entry.path)
    os.rmdir(folder)


def bundle(options, folder):
    """Writes the configuration that the OCI's runtimes read (runtime-spec, config.md), and names the container."""
    # Devices of its own are a runtime's duty, and need a place: that is one of the differences.
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
    ]
    linux = {
        "namespaces": [{"type": kind} for kind in ("pid", "mount", "uts", "ipc", "network")],
        "seccomp": FILTER,
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    }
    if os.geteuid() != 0:
        linux["namespaces"].append({"type": "user"})
        linux["uidMappings"] = [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
        linux["gidMappings"] = [{"containerID": 0, "hostID": os.getegid(), "size": 1}]
    if options.memory is not None:
        linux["cgroupsPath"] = cgroup_beside_ours()
        # `swap` is memory and swap together here, as cgroup v1 had it.
        linux["resources"] = {"memory": {"limit": options.memory, "swap": options.memory}}
    process = {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": options.command,
        "env": [f"{key}={value}" for key, value in os.environ.items()],
        "cwd": "/",
        "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")},
        "noNewPrivileges": True,
    }
    config = {"ociVersion": "1.0.2", "process": process, "root": {"path": options.root}, "mounts": mounts}
    config["linux"] = linux
    if options.hostname is not None:
        config["hostname"] = options.hostname
    with open(os.path.join(folder, "config.json"), "w", errors="surrogateescape") as file:
        file.write(json(config))
    return os.path.basename(folder)


def json(value):
    """A value as JSON (RFC 8259)."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json(key)}:{json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json, value)) + "]"
    if isinstance(value, str):
        plain = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in plain) + '"'
    return str(value).lower()


# Docker's, but for `mknod`: which devices a node leads to is a matter of cgroups for these runtimes.
CAPABILITIES = [
    f"CAP_{name}"
    for name in (
        "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT"
        " AUDIT_WRITE SETFCAP"
    ).split()
]

REFUSED = (
    "mount umount2 pivot_root open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr setns init_module"
    " finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff bpf perf_event_open userfaultfd"
    " io_uring_setup keyctl add_key request_key open_by_handle_at settimeofday clock_settime acct quotactl syslog"
).split()

EPERM, ENOSYS = 1, 38
CLONE_NEWUSER, TIOCSTI, TIOCLINUX = 0x10000000, 0x5412, 0x541C


def refused(names, number=EPERM, masked=None):
    """A rule of a filter: calls that fail with an error, if an argument masked is a value."""
    rule = {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": number}
    if masked is not None:
        index, mask, value = masked
        rule["args"] = [{"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}]
    return rule


FILTER = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "syscalls": [
        refused(REFUSED),
        refused(["clone3"], ENOSYS),
        refused(["clone", "unshare"], masked=(0, CLONE_NEWUSER, CLONE_NEWUSER)),
        refused(["ioctl"], masked=(1, 0xFFFFFFFF, TIOCSTI)),
        refused(["ioctl"], masked=(1, 0xFFFFFFFF, TIOCLINUX)),
    ],
}


def failure(said, command):
    """What an OCI runtime says when it could not run the command, as the contract has it."""
    low = said.lower()
    if "cgroup" in low:
        return Failed(125, said)
    if "not found" in low or ("no such file" in low and ("exec" in low or command in said)):
        return Failed(127, f"{command}: {said}")
    if any(words in low for words in ("permission denied", "exec format", "is a directory", "not executable")):
        return Failed(126, f"{command}: {said}")
    return Failed(125, said)
