"""`immure schema`: what it refuses the program refuses, and what the program refuses by its form it refuses."""

import json
import random
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from harness import specs

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "Examples").rglob("*.toml"))


@pytest.fixture
def schema(user):
    """The schema, which is one itself."""
    schema = json.loads(user.verb("schema").ok.stdout)
    Draft7Validator.check_schema(schema)
    return schema


@pytest.fixture
def validator(schema):
    return Draft7Validator(schema)


def faults(validator, text):
    return [f"{'.'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(tomllib.loads(text))]


def checked(user, texts):
    """What `immure check` says of each text, all files in one call."""
    place = user.directory()
    user.file(place / "base.toml")
    user.file(place / "oci.json", '{"defaultAction": "SCMP_ACT_ALLOW"}')
    names = [f"{number}.toml" for number in range(len(texts))]
    for name, text in zip(names, texts):
        user.file(place / name, text)
    found = json.loads(user.verb("check", "--json", *names, cwd=place, timeout=60).stdout)
    result = {name: [] for name in names}
    for fault in found:
        place = fault["position"]["file"] if fault["position"] else fault["message"].split(":")[0]
        result[place].append(fault["message"])
    return list(result.values())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid(validator, example):
    assert faults(validator, example.read_text()) == []


def test_the_empty_spec_is_valid(validator):
    assert faults(validator, "") == []


def keys(schema, path=""):
    """The dotted path of every key, with those of tables and of arrays of tables."""
    for inner in (schema, *schema.get("anyOf", [])):
        for key, value in inner.get("properties", {}).items():
            yield path + key
            yield from keys(value, path + key + ".")
        if inner.get("type") == "array":
            yield from keys(inner["items"], path)


def test_every_key_is_tried_here(schema):
    tables = {"filesystem", "namespaces", "identity", "capabilities", "process", "environment", "rlimits", "limits",
              "seccomp", "landlock", "network", "service"}
    inline = {f"identity.{side}_map.{key}" for side in ("uid", "gid") for key in ("inside", "outside", "count")}
    inline |= {f"seccomp.rule.args.{key}" for key in ("index", "op", "value")}
    tried = {f"{key}.{inner.strip()}" for key, (_, entries) in specs.ENTRIES.items() for inner in entries}
    assert set(keys(schema)) == tables | inline | set(specs.KEYS) | set(specs.ENTRIES) | tried


def test_what_is_right_in_a_spec_is_right_in_the_schema(user, validator):
    """Each value by itself, and random specs of those that do not contradict each other."""
    dice = random.Random(1)
    texts = [specs.text({key: value}) for key, (right, _) in specs.KEYS.items() for value in right]
    texts += [specs.text({key: [entry]}) for key, (right, _) in specs.ENTRIES.items() for entry in right]
    alone = len(texts)
    texts += [specs.text(specs.random_spec(dice)) for _ in range(2500)]
    valid = 0
    for text, refused in zip(texts, checked(user, texts)):
        # Of a random spec nothing but a contradiction between lines is wrong, which is not of the form.
        assert faults(validator, text) == [], (text, refused)
        valid += not refused
    assert valid - alone > 200, f"only {valid} of {len(texts)} are right"


def test_each_value_by_itself_is_taken(user):
    texts = [specs.text({key: value}) for key, (right, _) in specs.KEYS.items() for value in right]
    texts += [specs.text({key: [entry]}) for key, (right, _) in specs.ENTRIES.items() for entry in right]
    wrong = [(text, refused) for text, refused in zip(texts, checked(user, texts)) if refused]
    # These want another key beside them.
    wanting = ("network.parent", "network.address", "network.gateway", "network.allow", "network.dns",
               'network.mode = "macvlan"', 'network.mode = "ipvlan"', "capabilities.ambient", "capabilities.effective",
               'seccomp.default = "allow"', "filesystem.changes", "identity.uid_map = [", "identity.gid_map = [", "capabilities.permitted",
               "capabilities.inheritable", 'mount = [{ "target" = "/m/cgroup", "type" = "cgroup", "options" = ["rw"]')
    assert [entry for entry in wrong if not entry[0].startswith(wanting)] == []


def test_every_wrong_form_is_refused_by_both(user, validator):
    texts = [specs.text(keys) for keys in specs.wrong_values()]
    assert len(texts) > 900
    taken = [(text, refused, faults(validator, text)) for text, refused in zip(texts, checked(user, texts))]
    assert [text for text, refused, _ in taken if not refused] == [], "taken by check"
    assert [(text, refused) for text, refused, found in taken if not found] == [], "taken by the schema"


def test_a_spec_with_one_wrong_form_in_it(user, validator):
    dice = random.Random(2)
    bases = [specs.random_spec(dice) for _ in range(1800)]
    bases = [keys for keys, refused in zip(bases, checked(user, [specs.text(keys) for keys in bases])) if not refused]
    assert len(bases) >= 200
    wrong = list(specs.wrong_values())
    texts = []
    for keys in bases:
        (key, value), = dice.choice(wrong).items()
        rest = {other: value for other, value in keys.items() if other != key and specs.compatible({key: 0}, other)}
        texts.append(specs.text({**rest, key: value}))
    for text, refused in zip(texts, checked(user, texts)):
        assert refused and faults(validator, text), (text, refused)


def test_what_the_schema_refuses_is_refused(user, validator):
    """Values that are right for some other key: whether a key takes them, both must agree."""
    dice = random.Random(3)
    values = [value for right, _ in specs.KEYS.values() for value in right]
    texts = [specs.text({key: dice.choice(values)}) for key in specs.KEYS for _ in range(20) if key != "seccomp.profile"]
    for text, refused in zip(texts, checked(user, texts)):
        if faults(validator, text):
            assert refused, text


def test_descriptions_and_defaults_for_editors(schema):
    process = schema["properties"]["process"]["properties"]
    assert process["tty"]["default"] == "auto" and "terminal" in process["tty"]["description"]
    assert process["init"]["default"] is True
