"""`immure run --explain` says what a probe sees inside (C55, T42)."""

import re

import pytest

SPECS = {
    "empty": "",
    "hostname": 'hostname = "told"',
    "host root": '[filesystem]\nroot = "host"\ndev = "none"',
    "empty root": '[filesystem]\nroot = "empty"\nro = ["/usr", "/bin", "/lib", "/lib64"]\ndev = "none"',
    "a tmpfs": '[[mount]]\ntarget = "/opt/x"\ntype = "tmpfs"\nsize = "2M"\noptions = ["noexec"]',
    "hidden": '[filesystem]\nhide = ["/etc/ssl", "/etc/passwd"]',
    "rlimits": "[rlimits]\nnofile = 128\ncore = 0",
    "umask and nice": '[process]\nnice = 4\ncpus = "0"\noom_score_adj = 300\n[identity]\numask = "007"',
    "a capability": '[capabilities]\nkeep = ["net_bind_service"]',
    "no new namespaces": "[namespaces]\nnested = true",
}


def table(text):
    """The rows by what they are about."""
    lines = text.splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("verified "))
    rows = {}
    for line in lines[head + 1 :]:
        cells = re.split(r" {2,}", line)
        if len(cells) != 4:
            break
        rows[cells[0]] = cells[1:]
    return rows


@pytest.mark.parametrize("name", SPECS)
def test_c55_t42_what_is_explained_is_what_is_seen(caller, name):
    script = "cat /proc/self/status; echo =; cat /proc/self/mountinfo; echo =; cat /proc/self/limits /proc/self/oom_score_adj"
    run = caller.run(SPECS[name], "/bin/sh", "-c", script + "; hostname; readlink /proc/self/ns/*; nice", options=["--explain"]).ok
    rows = table(run.stderr)
    status, mounts, rest = run.stdout.split("=\n")[0], run.stdout.split("=\n")[1], run.stdout.split("=\n", 2)[2]
    fields = {line.split(":\t")[0]: line.split(":\t")[1] for line in status.splitlines() if ":\t" in line}
    if "uids" in rows:
        assert rows["uids"][1].split() == fields["Uid"].split() and rows["gids"][1].split() == fields["Gid"].split()
    assert rows["bounding set"][1] == fields["CapBnd"] and rows["no_new_privs"][1] == fields["NoNewPrivs"]
    # A program of uid 0 or not: what is effective when it runs is what was ambient, or permitted.
    for word, field in (("inheritable", "CapInh"), ("ambient", "CapAmb")):
        assert rows[f"{word} set"][1] == fields[field]
    assert int(rows["umask"][1], 8) == int(fields["Umask"], 8)
    at = {line.split()[4]: set(line.split()[5].split(",")) for line in mounts.splitlines()}
    for what, (_, answer, _) in rows.items():
        if match := re.fullmatch(r"mount (?:\S+ on )?(/.*)", what):
            told = {word for word in answer.split(",") if word != "private"}
            assert told == at[match[1]] & {"ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"}, what
        if what.endswith(" namespace") and what.split()[0] not in ("time",):
            assert f"{what.split()[0].replace('mount', 'mnt')}:[{answer}]" in rest, what
    if "hostname" in rows:
        assert f"\n{rows['hostname'][1]}\n" in rest
    if "/proc/self/oom_score_adj" in rows:
        assert f"\n{rows['/proc/self/oom_score_adj'][1]}\n" in rest
    if "rlimit nofile" in rows:
        soft, hard = rows["rlimit nofile"][1].split(":")
        assert re.search(rf"Max open files\s+{soft}\s+{hard}\s", rest)
    # A difference ends the launch: in none that has run says the kernel the opposite.
    pairs = [cells[:2] for cells in rows.values() if {"open", "closed by Landlock"} & set(cells[:2])]
    assert all(promised == found or {promised, found} == {"closed by Landlock", "closed"} for promised, found in pairs), pairs
    # Nothing is told that was not promised.
    assert all(cells[2] for cells in rows.values())


def test_explanation_comes_before_the_command(caller):
    run = caller.run(None, "/bin/sh", "-c", "echo ran >&2", options=["--explain"]).ok
    assert run.stderr.startswith("verified ") and run.stderr.endswith("\nran\n"), run


def test_a_mirrored_root_is_sealed(caller):
    # What stood in the root before it was mirrored is sealed where it is in sight.
    run = caller.run('[filesystem]\nroot = "host"\nro = ["/etc:/immure-made"]', "/bin/cat", "/proc/self/mountinfo").ok
    lines = [line.split() for line in run.stdout.splitlines()]
    assert all("ro" in line[5].split(",") for line in lines if line[4] in ("/", "/dev", "/usr")), run
