"""System calls of x86-64 by number, and how each could fail on a machine in trouble."""

import errno as e
import re
from pathlib import Path


def numbers():
    """name -> number, from the kernel's own header."""
    text = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").read_text()
    found = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", text)}
    # Linux 6.8: Debian 12's header is older.
    return {"statmount": 457, "listmount": 458, **found}


NUMBER = numbers()
NAME = {number: name for name, number in NUMBER.items()}

#: These have no errors for the arguments of a launch, by their man pages or the kernel's code. brk answers the break as it
#: was instead of an error: a limit on memory shows what comes of that.
CANNOT_FAIL = set(
    "arch_prctl set_tid_address set_robust_list rseq getpid gettid getppid getuid geteuid getgid getegid getpgrp umask "
    "brk exit exit_group rt_sigreturn sched_yield clock_gettime uname restart_syscall".split()
)

#: What is plausible, most harmful first; whatever is not named: EPERM, as a security module or a filter would answer.
ERRNOS = {
    "brk": [e.ENOMEM],
    "mmap": [e.ENOMEM],
    "mprotect": [e.ENOMEM],
    "munmap": [e.ENOMEM],
    "madvise": [e.EINVAL, e.ENOMEM],
    "open": [e.EACCES, e.EMFILE],
    "openat": [e.EACCES, e.EMFILE],
    "openat2": [e.EACCES, e.ENOSYS, e.EAGAIN, e.EMFILE],
    "read": [e.EIO, e.EINTR],
    "write": [e.EPERM, e.ENOSPC, e.EINTR],
    "close": [e.EIO],
    "poll": [e.ENOMEM, e.EINTR],
    "ppoll": [e.ENOMEM, e.EINTR],
    "recvmsg": [e.ENOMEM, e.EINTR],
    "sendmsg": [e.ENOBUFS, e.EINTR],
    "wait4": [e.EINTR],
    "socket": [e.EMFILE, e.EAFNOSUPPORT],
    "socketpair": [e.EMFILE],
    "ioctl": [e.EPERM, e.ENODEV],
    "fcntl": [e.EMFILE],
    "dup": [e.EMFILE],
    "dup3": [e.EMFILE],
    "signalfd4": [e.EMFILE],
    "pidfd_open": [e.EMFILE, e.ENOSYS],
    "clone": [e.EAGAIN, e.ENOMEM],
    "clone3": [e.EAGAIN, e.ENOSYS, e.EPERM, e.ENOSPC],
    "execve": [e.ENOMEM, e.EACCES],
    "getrandom": [e.ENOSYS],
    "close_range": [e.ENOSYS, e.EPERM],
    "mkdirat": [e.ENOSPC, e.EACCES],
    "symlinkat": [e.ENOSPC],
    "mknodat": [e.ENOSPC],
    "linkat": [e.EMLINK],
    # A filter refuses every call or none (EPERM): which directory was worked in is then told by its birth, and not by both.
    "name_to_handle_at": [e.ENOMEM],
    "renameat": [e.ENOSPC, e.EIO],
    "renameat2": [e.ENOSPC, e.EINVAL],
    "unlinkat": [e.EIO],
    "lseek": [e.EINVAL],
    "copy_file_range": [e.ENOSPC, e.EXDEV],
    "ftruncate": [e.ENOSPC],
    "sync_file_range": [e.EIO],
    "syncfs": [e.EIO, e.EINTR],
    "fsync": [e.EIO, e.EINTR],
    "flock": [e.ENOLCK, e.EINTR],
    "open_tree": [e.EPERM, e.ENOSYS],
    "move_mount": [e.EPERM, e.ENOSPC],
    "mount_setattr": [e.EPERM, e.ENOSYS],
    "fsopen": [e.EPERM, e.ENODEV],
    "fsmount": [e.EPERM, e.ENOSPC],
    "fsconfig": [e.EPERM, e.EINVAL],
    "keyctl": [e.EDQUOT, e.EPERM],
    "setresuid": [e.EAGAIN, e.EPERM],
    "prctl": [e.EPERM, e.EINVAL],
    "seccomp": [e.EINVAL, e.ENOMEM],
}


def errnos(number):
    """The errors to inject into one system call; none where it has none."""
    name = NAME.get(number, "")
    return [] if name in CANNOT_FAIL else ERRNOS.get(name, [e.EPERM])


def describe(step, errno=None):
    """`openat of process 1, call 5: EACCES`."""
    words = f"{NAME.get(step.number, step.number)} of process {step.process}, call {step.call}"
    return words + (f": {e.errorcode[errno]}" if errno else "")
