"""Hints of what a spec asks for and the planner refuses: each is printed, then followed."""

import pytest

from harness.hints import Case, obey

KEEP = '[capabilities]\n'
MOUNT = '[[mount]]\nsource = "/usr/share"\ntarget = "/x"\n'
SHARED = '[namespaces]\npid = "host"\n'

CASES = [
    # Namespaces
    Case(("set filesystem.proc = false", 'set namespaces.{} = "new"', "{}, or {}"), SHARED, sets=2),
    Case(("remove it, or {}",), 'hostname = "a"\n[namespaces]\nuts = "host"', ('[namespaces]\nuts = "host"\n',), sets=1),
    Case(("remove it, or {}",), '[namespaces]\nuser = "host"\n[identity]\nuid_map = [{ inside = 0, outside = 0, count = 1 }]',
         ('[namespaces]\nuser = "host"\n',), who="root", sets=1, options=("--set", "identity.user=0")),
    Case(("remove the line, or {}",), '[filesystem]\ntmp = "1M"\n[namespaces]\nmount = "host"', ('[namespaces]\nmount = "host"\n',),
         who="root", sets=1),
    Case(("CAP_SYS_ADMIN is needed without a user namespace: {}, or {}", "launch as root"), '[namespaces]\nuser = "host"\npid = "host"\n[filesystem]\nproc = false',
         root=True, sets=1),
    Case(("the command must be the child of the process that makes the time namespace",),
         '[namespaces]\ntime = "new"\n[process]\ninit = false',
         ('[namespaces]\ntime = "new"\n[process]\ninit = true',)),
    # Identity
    Case(("write the number",), '[identity]\nuser = "nosuchname"', ('[identity]\nuser = 4711',)),
    Case(("write the number",), '[identity]\ngroup = "nosuchname"', ('[identity]\ngroup = 4711',)),
    Case(("remove the line to keep them, {}, or set gid_map = \"auto\"",), '[identity]\ngroups = ["audio"]',
         ("", '[identity]\ngroups = [29]\ngid_map = "auto"\nuid_map = "auto"\ngroup = 0\nuser = 0'), root=True),
    Case(("add a line to {} that contains {}",), '[identity]\nuser = 5\ngroup = 0\ngid_map = "auto"\nuid_map = [{ inside = 0, outside = 1000, count = 1 }]',
         ('[identity]\nuser = 5\nuid_map = [{ inside = 0, outside = 1000, count = 1 }, { inside = 5, outside = 1005, count = 1 }]',), who="root"),
    Case(('set namespaces.{} = "new"',), '[namespaces]\nuser = "host"\nmount = "host"\npid = "host"\nnet = "host"\nipc = "host"\nuts = "host"\ncgroup = "host"\n[identity]\nuser = 5', sets=1),
    # Capabilities
    Case(("add it to bounding, or use keep",), KEEP + 'inheritable = ["chown"]', (KEEP + 'inheritable = ["chown"]\nbounding = ["chown"]', KEEP + 'keep = ["chown"]')),
    Case(("add it to ambient and inheritable, or use keep",), KEEP + 'bounding = ["chown"]\npermitted = ["chown"]',
         (KEEP + 'bounding = ["chown"]\nambient = ["chown"]\npermitted = ["chown"]\ninheritable = ["chown"]', KEEP + 'keep = ["chown"]')),
    Case(("add it to bounding, or use keep",), '[identity]\nuser = 0\n' + KEEP + 'permitted = ["chown"]',
         ('[identity]\nuser = 0\n' + KEEP + 'permitted = ["chown"]\nbounding = ["chown"]', '[identity]\nuser = 0\n' + KEEP + 'keep = ["chown"]')),
    Case(("remove sys_admin, or the hide line {}",), '[filesystem]\nhide = ["/etc/hosts"]\n' + KEEP + 'keep = ["sys_admin"]',
         ('[filesystem]\nhide = ["/etc/hosts"]', KEEP + 'keep = ["sys_admin"]')),
    Case(('set namespaces.{} = "new"',), '[namespaces]\nuser = "host"\n[filesystem]\nproc = false\n' + KEEP + 'keep = ["chown"]', sets=1),
    # The process
    Case(("set process.no_new_privs = true, or namespaces.nested = true",), '[process]\nno_new_privs = false\n[namespaces]\nuser = "host"\nmount = "host"\npid = "host"\nnet = "host"\nipc = "host"\nuts = "host"\ncgroup = "host"\n[seccomp]\nprofile = "none"', sets=2),
    Case(('set process.no_new_privs = true, or seccomp.profile = "none"',), '[process]\nno_new_privs = false\n[namespaces]\nnested = true\nuser = "host"\nmount = "host"\npid = "host"\nnet = "host"\nipc = "host"\nuts = "host"\ncgroup = "host"\n', sets=2),
    Case(("set process.no_new_privs = true, or add {} to seccomp.allow",), '[process]\nno_new_privs = false\n[seccomp]\ndeny = ["getppid"]',
         ('[process]\nno_new_privs = false\n[seccomp]\nallow = ["getppid"]',), sets=1),
    Case(("set process.no_new_privs = true, or {}",), '[process]\nno_new_privs = false\n[namespaces]\nnested = true\nuser = "host"\nmount = "host"\npid = "host"\nnet = "host"\nipc = "host"\nuts = "host"\ncgroup = "host"\n[seccomp]\nprofile = "none"\n[landlock]\nrx = ["/"]', sets=2),
    Case(("write it after --, or as command = [\"…\"] in the spec",), "", ('command = ["/bin/true"]',), command=()),
    Case(("name calls in the lists instead of rules, or fewer of them",), "".join(f'[[seccomp.rule]]\ncall = "socket"\naction = "EPERM"\nargs = [{{ index = 2, op = "==", value = {n} }}]\n' for n in range(3000)),
         ('[seccomp]\ndeny = ["socket"]', '[[seccomp.rule]]\ncall = "socket"\naction = "EPERM"\nargs = [{ index = 2, op = "==", value = 7 }]')),
    # Files
    Case(("filesystem.proc = false leaves the whole of /proc out",), '[filesystem]\nhide = ["/proc/self/maps"]', ("[filesystem]\nproc = false",)),
    Case(("to show only this of it, mount a tmpfs on {} in place of hiding it",), '[filesystem]\nhide = ["/usr/share"]\nro = ["/usr/share/doc"]',
         ('[filesystem]\nro = ["/usr/share/doc"]\n[[mount]]\ntype = "tmpfs"\ntarget = "/usr/share"',)),
    # The manager of services
    Case(("start it by a unit with {}, or set service.optional = true to go without",), '[service]\nnotify = "main"', sets=1),
    Case(("start it by a unit with {}, or set service.optional = true to go without",), '[service]\nsockets = true', sets=1),
    Case(("start it by a unit with {}, or set service.optional = true to go without",), '[service]\ncredentials = true', sets=1),
    # What the kernel refuses
    Case(("raising a hard limit needs CAP_SYS_RESOURCE; `ulimit -H` and /proc/self/limits show what {} has",), '[rlimits]\nnofile = "2000000:2000000"',
         ('[rlimits]\nnofile = "100:200"',)),
    Case(("the launch opens files of its own before the command begins: rlimits.nofile = {}",), "[rlimits]\nnofile = 4", sets=1),
    Case(("only root may lower the nice value (unless RLIMIT_NICE allows)",), "[process]\nnice = -5", root=True),
    Case(('process.cpus = "{}" names those that are',), '[process]\ncpus = "0,900"', sets=1),
    Case(("add it to limits.cpus, or leave it out of process.cpus",), '[limits]\ncpus = "0"\n[process]\ncpus = "0,900"', ('[process]\ncpus = "0"',)),
    Case(("none of these CPUs is there or allowed; /proc/self/status has Cpus_allowed_list",), '[process]\ncpus = "900"', ('[process]\ncpus = "0"',)),
]


@pytest.fixture
def callers(root, user):
    return {"root": root, "user": user}


@pytest.mark.parametrize("case", CASES, ids=[f"{index}-{case.templates[0][:40]}" for index, case in enumerate(CASES)])
def test_what_the_hint_says_ends_the_fault(callers, case):
    obey(case, callers, None)
