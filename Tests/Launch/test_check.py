"""What no host can launch is a fault of the file: `immure check` says so, with status 2, as `immure run` would with 125.

And what some host, or some caller, can launch passes.
"""

import re

import pytest

from harness.toml import line_of

ALL_HOST = '[namespaces]\nuser = "host"\nmount = "host"\npid = "host"\nnet = "host"\nipc = "host"\nuts = "host"\ncgroup = "host"\n'

# What contradicts what, and the words of the message; `@` marks the line, `first` the other one where that is named.
CONTRADICTIONS = {
    "below what is hidden": ('[filesystem]\nhide = ["/usr"] # first\nro = ["/usr/bin"] # @', "/usr/bin is below /usr, which is hidden"),
    "a pattern below what is hidden": ('[filesystem]\nhide = ["/usr"] # first\n[[mount]]\ntarget = "/usr/x" # @\ntype = "tmpfs"', "/usr/x is below /usr"),
    "a capability that would be lost": ('[capabilities]\npermitted = ["sys_time"] # @', "sys_time would be lost"),
    "one of the host's root, lost": ('[identity]\nuser = 0\n[capabilities]\npermitted = ["chown"] # @', "chown would be lost"),
    "inheritable, not bounding": ('[capabilities]\ninheritable = ["chown"] # @', "not in the bounding set"),
    "what uncovers a cover": ('[filesystem]\nhide = ["/etc/hosts"] # first\n[capabilities]\nkeep = ["sys_admin"] # @', "sys_admin would let the command uncover /etc/hosts"),
    "a cover of one process": ('[filesystem]\nhide = ["/proc/self/maps"] # @', "another file for each process"),
    "an id that no map has": ("[identity]\nuser = 5 # @\nuid_map = [{ inside = 0, outside = 1000, count = 1 }]", "user 5 is not mapped"),
    "a map without a namespace": ('[namespaces]\nuser = "host"\n[identity]\nuid_map = [{ inside = 0, outside = 0, count = 1 }] # @', "an id map needs a user namespace"),
    "a hostname without a namespace": ('hostname = "a" # @\n[namespaces]\nuts = "host"', "hostname needs a uts namespace"),
    "mounts without a namespace": ('[filesystem]\ntmp = "1M" # @\n[namespaces]\nmount = "host"', "without a mount namespace"),
    "an offset without pid 1": ('[namespaces]\n# @\n[namespaces.time]\nmonotonic = "1h"\n[process]\ninit = false', "time offset needs process.init"),
    "a filter without execve": ('[seccomp]\ndeny = ["execve"] # @', "seccomp refuses execve"),
    "a filter that refuses what sets it up": ('[process]\nno_new_privs = false # @\n[seccomp]\ndeny = ["capset"]', "it refuses capset"),
    "filters that the filter refuses": ('[seccomp]\ndeny = ["seccomp"]\nbpf = [10] # @', "do not allow seccomp(2)"),
    "a writable group without limits": ('[[mount]]\ntarget = "/sys/fs/cgroup" # @\ntype = "cgroup"\noptions = ["rw"]', "without [limits]"),
    "more quota than memory": ('[limits]\nmemory = "1M"\n[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["/usr"]\nquota = "2M" # @', "more than limits.memory"),
    "a limit on what is read-only": ('[[mount]]\ntarget = "/x"\nsource = "/srv"\noptions = ["ro"]\nquota = "1G" # @', "it is read-only"),
    "an image within reach of the jail": ('[filesystem]\nrw = ["/srv"]\n[[mount]]\ntarget = "/x" # @\ntype = "image"\nsource = "/srv/a.img"', "can be written to by the jail"),
    "an upper within reach of the jail": ('[filesystem]\nrw = ["/srv"]\n[[mount]]\ntarget = "/src" # @\ntype = "overlay"\nlower = ["/usr"]\nupper = "/srv/u"\nwork = "/srv/w"', "written to past the overlay"),
    "rules that the command could change": ('[network]\nmode = "user"\n[capabilities]\nkeep = ["net_admin"] # @', "net_admin is kept"),
    "processors out of the group's": ('[process]\ncpus = "0-3" # @\n[limits]\ncpus = "0-1" # first', "2 is not in limits.cpus"),
    "a size of what is not there": ('[filesystem]\nrw = ["/tmp"] # first\ntmp = "5M" # @', "nothing has this size"),
    "a size of another /dev/shm": ('[filesystem]\nshm = "5M" # @\n[[mount]]\ntarget = "/dev/shm" # first\ntype = "tmpfs"\nsize = "1M"', "nothing has this size"),
    "changes of what is no tree": ('[filesystem]\nchanges = "discard" # @', "only a root that is a tree"),
}

# What root may, or a user, or a host that has it.
ABLE = {
    "network of root's": '[network]\nmode = "veth"',
    "an interface of the host": '[network]\nmode = "macvlan"\nparent = "nowhere"\naddress = ["10.9.0.2/24"]',
    "names": '[network]\nmode = "user"\nallow = ["*.example.org:443"]',
    "a root that is not there": '[filesystem]\nroot = "/nowhere"',
    "a source that is not there": '[filesystem]\nrw = ["/nowhere"]',
    "a pattern that matches nothing": '[filesystem]\nro = ["/nowhere/*"]',
    "a namespace that is not there": '[namespaces]\nnet = "/nowhere"',
    "processors that are not there": '[process]\ncpus = "900-999"',
    "limits": '[limits]\nmemory = "1G"\ncpus = "0-500"\n[[limits.io]]\ndevice = "/nowhere"\nweight = 9000',
    "an image": '[[mount]]\ntarget = "/"\ntype = "image"\nsource = "/nowhere.img"',
    "a written image": '[[mount]]\ntarget = "/x"\ntype = "image"\nsource = "/nowhere.img"\noptions = ["rw"]',
    "files with the jail's ids": '[[mount]]\ntarget = "/x"\nsource = "/srv"\nidmap = true',
    "no private /tmp": '[filesystem]\nrw = ["/tmp"]\ntmp = false',
    "the size of a root in memory": '[filesystem]\nwritable = true\nrw = ["/tmp"]\ntmp = "5M"',
    "a quota": '[[mount]]\ntarget = "/x"\nsource = "/srv"\nquota = "1G"',
    "names of users": '[identity]\nuser = "nosuchuser"\ngroup = "nosuchgroup"\ngroups = ["nosuchtoo"]',
    "a name that may be root's": '[identity]\nuser = "toor"\n[capabilities]\nbounding = ["chown"]\npermitted = ["chown"]',
    "ranges of the caller's": '[identity]\nuser = 5\nuid_map = "auto"\ngid_map = "auto"',
    "what a manager offers": "[service]\nnotify = \"main\"\nsockets = true\ncredentials = true",
    "the newest Landlock": '[landlock]\nminimum_abi = 6\nrx = ["/"]\nscope = ["signal"]\nbind_tcp = [80]',
    "nothing of its own": ALL_HOST,
    "an init": 'command = ["/sbin/init"]\n[process]\nboot = true\n[filesystem]\nroot = "/nowhere"\nwritable = true',
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_lines_that_contradict_each_other_are_faults(caller, name):
    text, words = CONTRADICTIONS[name]
    spec = caller.spec("\n" + text)
    checked = caller.verb("check", spec)
    place = f"spec.toml:{1 + line_of(text, '# @')}:"
    assert checked.status == 2 and checked.stdout == "" and words in checked.stderr, checked
    if name != "an offset without pid 1":
        assert place in checked.stderr, checked
    if "# first" in text and "uncovers" not in name:
        assert f"spec.toml:{1 + line_of(text, '# first')}:" in checked.stderr, checked
    ran = caller.run(spec, "/bin/echo", "ran", options=[])
    assert ran.status == 125 and ran.stdout == "", ran


@pytest.mark.parametrize("name", ABLE)
def test_what_some_host_can_do_is_no_fault(caller, name):
    run = caller.verb("check", caller.spec(ABLE[name]))
    assert run.status == 0 and run.stderr == "", run


def test_all_contradictions_come_in_one_go(caller):
    text = 'hostname = "a"\n[namespaces]\nuts = "host"\n[filesystem]\nhide = ["/usr"]\nro = ["/usr/bin"]\n[capabilities]\npermitted = ["sys_time"]'
    run = caller.verb("check", caller.spec(text))
    assert run.status == 2 and sorted(set(re.findall(r"^\S*spec\.toml:(\d+):", run.stderr, re.M))) == ["1", "6", "8"], run


def test_what_each_caller_is_refused_for_something_else(caller):
    """Root could, but for the cover; a user has no such network: that is told which is no matter of who launches."""
    text = '[network]\nmode = "veth"\n[filesystem]\nhide = ["/usr"]\nro = ["/usr/bin"] # @'
    run = caller.verb("check", caller.spec(text))
    assert run.status == 2 and "/usr/bin is below /usr" in run.stderr and "only root" not in run.stderr, run
