"""Values as TOML writes them: a JSON string, number, boolean or list is also a TOML one."""

import json


def toml(value):
    """The text of `value` in a spec."""
    return json.dumps(str(value) if hasattr(value, "__fspath__") else value, ensure_ascii=False, default=str)


def line_of(text, needle):
    """The number of the line that holds `needle`, from 1."""
    return 1 + text[: text.index(needle)].count("\n")
