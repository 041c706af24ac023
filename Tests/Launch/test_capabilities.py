"""[capabilities]: each of the five sets is exactly what was written (C18, C43)."""

import pytest

from harness.hints import among, settings
from harness.maps import zero

NAMES = """chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service
net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin
sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override
mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore""".split()
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def mask(*names):
    return sum(1 << NAMES.index(name) for name in names)


def sets(caller, spec, **more):
    status = caller.status(spec, **more)
    return {name: int(status[name], 16) for name in SETS}


def test_t13_every_set_is_empty_by_default(caller):
    assert sets(caller, None) == dict.fromkeys(SETS, 0)


def test_t13_no_new_privs_is_on_by_default(caller):
    assert caller.status()["NoNewPrivs"] == "1"


def test_no_new_privs_is_off_only_where_the_spec_says_so(caller):
    assert caller.status("[process]\nno_new_privs = false")["NoNewPrivs"] == "0"


def test_t13_uid_0_inside_has_none_either(caller):
    assert sets(caller, zero(caller)) == dict.fromkeys(SETS, 0)


def test_t12_keep_gives_an_ordinary_uid_bounding_permitted_effective_and_ambient(caller):
    wanted = mask("net_bind_service")
    assert sets(caller, '[capabilities]\nkeep = ["net_bind_service"]') == {
        "CapInh": wanted,
        "CapPrm": wanted,
        "CapEff": wanted,
        "CapBnd": wanted,
        "CapAmb": wanted,
    }


def test_t12_keep_gives_uid_0_bounding_permitted_and_effective(caller):
    wanted = mask("net_bind_service")
    assert sets(caller, zero(caller) + '[capabilities]\nkeep = ["net_bind_service"]') == {
        "CapInh": 0,
        "CapPrm": wanted,
        "CapEff": wanted,
        "CapBnd": wanted,
        "CapAmb": 0,
    }


def test_keep_of_several(caller):
    wanted = mask("chown", "kill", "checkpoint_restore", "net_raw")
    found = sets(caller, '[capabilities]\nkeep = ["chown", "kill", "checkpoint_restore", "net_raw"]')
    assert (found["CapBnd"], found["CapPrm"], found["CapEff"]) == (wanted,) * 3


@pytest.mark.parametrize("name", NAMES)
def test_every_capability_by_its_name(root, name):
    run = root.run(
        f'[namespaces]\nuser = "new"\n[capabilities]\nkeep = ["{name}"]', "/bin/grep", "CapBnd", "/proc/self/status"
    )
    assert int(run.ok.stdout.split()[1], 16) == mask(name)


def test_the_bounding_set_alone(caller):
    found = sets(caller, '[capabilities]\nbounding = ["chown", "kill"]')
    assert found == {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": mask("chown", "kill"), "CapAmb": 0}


def test_the_inheritable_set_alone(caller):
    spec = '[capabilities]\nbounding = ["chown"]\npermitted = ["chown"]\ninheritable = ["chown"]'
    run = caller.run(spec, "/bin/cat", "/proc/self/status")
    if run.status == 125:
        # execve clears the permitted set of an ordinary uid: what cannot be had may be refused, never dropped.
        assert "spec.toml:" in run.stderr
        return
    assert int(
        dict(line.split(":\t") for line in run.stdout.splitlines() if line.startswith("Cap"))["CapInh"], 16
    ) == mask("chown")


def test_what_would_be_lost_at_exec_is_refused(caller):
    spec = '[capabilities]\npermitted = ["sys_ptrace"]\neffective = ["sys_ptrace"]'
    run = caller.run(spec, "/bin/cat", "/proc/self/status")
    assert run.status == 125 and run.stdout == "", run
    assert "spec.toml:2:" in run.stderr and "sys_ptrace would be lost" in run.stderr and "keep" in run.stderr, run


def test_the_line_of_every_set_is_told(caller):
    spec = "[capabilities]\n" + "\n".join(
        f'{name} = ["kill"]' for name in ("bounding", "permitted", "effective", "inheritable", "ambient")
    )
    run = caller.run(spec, "/bin/true", options=["--explain"])
    lines = [line for line in run.stderr.splitlines() if "permitted" in line]
    assert run.status == 0 and lines and all("spec.toml:3:" in line for line in lines), run


def test_the_ambient_set(caller):
    spec = "[capabilities]\n" + "\n".join(
        f'{name} = ["kill"]' for name in ("bounding", "permitted", "effective", "inheritable", "ambient")
    )
    assert sets(caller, spec) == dict.fromkeys(SETS, mask("kill"))


def test_ambient_without_permitted_is_refused_or_completed(caller):
    run = caller.run('[capabilities]\nambient = ["kill"]', "/bin/cat", "/proc/self/status")
    if run.status == 0:
        assert f"CapAmb:\t{mask('kill'):016x}" in run.stdout
    else:
        assert run.status == 125 and "spec.toml:2" in run.stderr


def test_t12_c18_what_the_caller_inherits_is_not_passed_on(root, binary):
    root.wrapper = ("setpriv", "--inh-caps=+all", "--ambient-caps=+chown")
    if root.finish(root.popen([*root.wrapper, "/bin/true"])).status != 0:
        root.wrapper = ("setpriv", "--inh-caps=+chown,+kill", "--ambient-caps=+chown")
    wanted = mask("net_bind_service")
    found = sets(root, zero(root) + '[capabilities]\nkeep = ["net_bind_service"]')
    assert found == {"CapInh": 0, "CapPrm": wanted, "CapEff": wanted, "CapBnd": wanted, "CapAmb": 0}
    assert sets(root, None) == dict.fromkeys(SETS, 0)
    assert sets(root, '[namespaces]\nuser = "host"') == dict.fromkeys(SETS, 0)


def test_a_kept_capability_works(caller):
    code = "import json, socket; s = socket.socket(); s.bind(('127.0.0.1', 80)); print(json.dumps('bound'))"
    low = 'import json; print(json.dumps(open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read()))'
    spec = '[capabilities]\nkeep = ["net_bind_service"]'
    assert caller.python(spec, code) == "bound"
    if caller.python(None, low).strip() == "1024":
        assert caller.run(None, "/usr/bin/python3", "-c", code).status == 1


def test_root_without_a_user_namespace_keeps_only_what_was_asked(root):
    spec = '[namespaces]\nuser = "host"\n[capabilities]\nkeep = ["chown"]'
    found = sets(root, spec)
    assert (found["CapPrm"], found["CapEff"], found["CapBnd"]) == (mask("chown"),) * 3


def test_root_as_uid_0_without_a_user_namespace_has_no_capability(root):
    assert sets(root, '[namespaces]\nuser = "host"\n[identity]\nuser = 0') == dict.fromkeys(SETS, 0)


def test_a_capability_the_caller_lacks_is_refused(root):
    root.wrapper = ("setpriv", "--bounding-set=-sys_time")
    run = root.run('[namespaces]\nuser = "host"\n[capabilities]\nkeep = ["sys_time"]', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "sys_time" in run.stderr and "spec.toml:4" in run.stderr


def test_secure_bits_are_locked_for_uid_0_inside(caller):
    code = "import ctypes, json; print(json.dumps(ctypes.CDLL(None).prctl(27, 0, 0, 0, 0)))"
    bits = caller.python(zero(caller), code)
    assert bits & 3 == 3, f"SECBIT_NOROOT and its lock: {bits:#x}"


def test_a_setuid_program_gives_no_capability(caller):
    run = caller.run(zero(caller), "/bin/su", "-c", "cat /proc/self/status", timeout=10)
    assert "CapEff:\t0000000000000000" in run.stdout or run.status != 0


@pytest.mark.parametrize("call", ["prctl", "capset", "setgroups", "setresuid", "setresgid"])
def test_t43_c35_c43_a_refused_call_stops_the_launch(caller, compiled, call):
    caller.wrapper = (compiled("shim"), f"{call}=1", "--")
    run = caller.run("[namespaces]\nuser = 'new'", "/bin/cat", "/proc/self/status")
    if run.status == 0:
        # It got there without that call: then nothing may be missing.
        for line in ("NoNewPrivs:\t1", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"):
            assert line in run.stdout, run
    else:
        assert run.status == 125 and run.stdout == "" and "EPERM" in run.stderr, run


BIND = 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 81)); print("bound")'


def test_e10_what_has_no_effect_on_the_hosts_network(caller):
    """A capability is of the jail's user namespace, and the host's network of another: said, and the hint followed."""
    spec = '[capabilities]\nkeep = ["net_bind_service"]\n[network]\nmode = "host"\n'
    command = ("/usr/bin/python3", "-I", "-c", BIND)
    run = caller.run(spec, *command)
    assert "net_bind_service: without effect on the host's network" in run.stderr and "PermissionError" in run.stderr, run
    hint = among(run.stderr, 'as root set namespaces.user = "host"; to listen on a port below 1024 as a service: service.sockets')
    assert ":2:" in run.stderr
    if caller.is_root:
        [setting, *_] = settings(hint)
        assert caller.run(spec, *command, options=setting).stdout == "bound\n"
    # In a network of the jail's own it has its effect, and nothing is said.
    run = caller.run('[capabilities]\nkeep = ["net_bind_service"]\n', *command)
    assert (run.stdout, run.stderr) == ("bound\n", ""), run
