"""A jail, or another user, must not write the spec that root trusts next time (C54, T41)."""

import os

import pytest


def refused(run, word="spec.toml"):
    assert run.status == 125 and run.stdout == "" and word in run.stderr, run


def test_t41_root_refuses_a_spec_that_others_may_write(root):
    spec = root.spec("")
    spec.chmod(0o646)
    refused(root.run(spec, "/bin/echo", "ran"))


def test_t41_root_refuses_a_spec_that_a_group_may_write(root, ordinary):
    spec = root.spec("")
    os.chown(spec, 0, ordinary.pw_gid)
    spec.chmod(0o664)
    refused(root.run(spec, "/bin/echo", "ran"))


def test_t41_root_refuses_a_spec_of_another_owner(root, ordinary):
    spec = root.spec("")
    os.chown(spec, ordinary.pw_uid, ordinary.pw_gid)
    refused(root.run(spec, "/bin/echo", "ran"))


def test_t41_root_refuses_a_symlink_to_a_spec_of_another_owner(root, ordinary):
    spec = root.spec("", name="real.toml")
    os.chown(spec, ordinary.pw_uid, ordinary.pw_gid)
    link = spec.parent / "spec.toml"
    link.symlink_to(spec)
    refused(root.run(link, "/bin/echo", "ran"))


def test_c54_what_is_extended_is_held_to_the_same(root):
    base = root.spec("", name="base.toml")
    base.chmod(0o666)
    refused(root.run(f'extends = ["{base}"]', "/bin/echo", "ran"), "base.toml")


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o444])
def test_root_takes_a_spec_of_its_own(root, mode):
    spec = root.spec("")
    spec.chmod(mode)
    root.run(spec, "/bin/true").ok


def test_c54_a_user_is_told_of_a_spec_that_others_may_write(user):
    spec = user.spec("")
    spec.chmod(0o666)
    run = user.run(spec, "/bin/echo", "ran")
    assert "spec.toml" in run.stderr and run.status in (0, 125), run


def test_c54_the_jail_cannot_write_its_own_spec(caller):
    spec = caller.spec("")
    run = caller.shell(spec, f"echo x >> {spec}; ls {spec}")
    assert run.status != 0 and spec.read_text() == ""


def test_c54_no_profile_of_a_home_is_read(caller):
    home = caller.directory()
    for name in (".config/immure", ".immure"):
        (home / name).mkdir(parents=True)
        (home / name / "immure.toml").write_text("nonsense = 1")
        (home / name / "config.toml").write_text("nonsense = 1")
    (home / "immure.toml").write_text("nonsense = 1")
    env = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    assert caller.run(None, "/bin/true", env=env, cwd=home).ok.stderr == ""
