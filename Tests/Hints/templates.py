"""Every hint that the sources can print, as its template: the text, with {} for what is interpolated.

A hint is a literal in what is given as `hint:` or `remedy:`, as the second argument of a `Refusal` or the third of `refuse`, in a
variable or a function whose name says hint or remedy, or in the table of remedies.
"""

import re
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "Sources"

#: Where a hint begins: what comes after is one expression, or the body of a declaration.
ARGUMENT = re.compile(r"\b(?:hint|remedy):\s")
VARIABLE = re.compile(r"\b(?:let|var) \w*[hH]int\w*(?:: String\??)? = |^ +hint =\s", re.M)
DECLARATION = re.compile(r"\b(?:var|func) (?:\w*[hH]int)\b[^{\n]*(?:\([^{]*?\))?[^{\n]*\{")
REFUSAL = re.compile(r"\bRefusal\(")
#: The third argument is one, where there are three.
REFUSE = re.compile(r"\brefuse\(\s*(?=_)")
#: Constants of which hints are made.
CONSTANT = re.compile(r"\b(?:few|unmakeable|worktreeHint|filterHint)\b(?:: String\??)? =\s")
#: The table of remedies, each a part of hints.
TABLE = re.compile(r"\b(?:enum|extension) Remedy \{")
#: A literal after one of these is compared or looked up, not printed.
ASKS = re.compile(r"(?:case |[!=]= |hasPrefix\(|hasSuffix\(|contains\(|ascii: |number\(|text\(|exists\(|environmentVariable\(|separator: )$")


def bare(text):
    """The source without comments and literals of several lines, which hold no hints."""
    parts, at = [], 0
    while at < len(text):
        if text.startswith('"""', at):
            at = text.index('"""', at + 3) + 3
            parts.append("nil")
        elif text[at] == '"':
            end = literal(text, at)[1]
            parts.append(text[at:end])
            at = end
        elif text.startswith("//", at):
            at = text.index("\n", at)
        else:
            parts.append(text[at])
            at += 1
    return "".join(parts)


def literal(text, start):
    """The template of the literal that begins at `start`, and where it ends."""
    at, parts = start + 1, []
    while text[at] != '"':
        if text.startswith("\\(", at):
            at = closing(text, at + 1) + 1
            parts.append("{}")
        elif text[at] == "\\":
            parts.append({"n": "\n", "t": "\t"}.get(text[at + 1], text[at + 1]))
            at += 2
        else:
            parts.append(text[at])
            at += 1
    return "".join(parts), at + 1


def closing(text, start):
    """Where the bracket that opens at `start` closes; what is in literals and comments counts for nothing."""
    depth, at = 0, start
    while True:
        if text[at] == '"':
            at = literal(text, at)[1]
            continue
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 0:
            return at
        at += 1


def expression(text, start):
    """Where the expression that begins at `start` ends: at a comma, a bracket that it did not open, or a line without more."""
    at = start
    while at < len(text):
        if text[at] == '"':
            at = literal(text, at)[1]
        elif text[at] in "([{":
            at = closing(text, at) + 1
        elif text[at] in ",)]}" or text[at] == "\n" and not more(text, start, at):
            return at
        else:
            at += 1
    return at


def more(text, start, end):
    """Whether an expression goes on in the next line."""
    return not text[start:end].strip() or text[start:end].rstrip().endswith(("+", "=", "?", ":", "??")) or bool(
        re.match(r"\s*(?:\+|\?|:|\.|\?\?)\s?", text[end:]))


def literals(text, start, end):
    """The templates between; those joined by + are one."""
    at, joined, last = start, False, None
    while at < end:
        if text[at] == '"':
            asks = ASKS.search(text[max(0, at - 30) : at])
            template, after = literal(text, at)
            if not asks:
                if joined and last is not None:
                    last += template
                else:
                    if last is not None:
                        yield last
                    last = template
            at, joined = after, False
            plus = re.match(r'\s*\+\s*(?=")', text[at:])
            named = re.match(r"\s*\+\s*[\w.]+(?:\([^()]*\))?", text[at:])
            if plus and not asks:
                joined, at = True, at + plus.end()
            elif named and not asks:
                last, at = last + "{}", at + named.end()
                again = re.match(r'\s*\+\s*(?=")', text[at:])
                if again:
                    joined, at = True, at + again.end()
        else:
            at += 1
    if last is not None:
        yield last


def ranges(text):
    """What holds hints, as (start, end)."""
    words = outside(text)
    for pattern in (ARGUMENT, VARIABLE, CONSTANT):
        for found in pattern.finditer(words):
            yield found.end(), expression(text, found.end())
    for pattern in (DECLARATION, TABLE):
        for found in pattern.finditer(words):
            yield found.end() - 1, closing(text, found.end() - 1)
    for found in REFUSAL.finditer(words):
        comma = expression(text, found.end())
        if text[comma] == ",":
            yield comma + 1, expression(text, comma + 1)
    for found in REFUSE.finditer(words):
        first = expression(text, found.end())
        second = expression(text, first + 1) if text[first] == "," else first
        if text[second] == "," and second > first:
            yield second + 1, expression(text, second + 1)


def outside(text):
    """The text with its literals blanked: a match begins in none of them."""
    parts, at = [], 0
    while at < len(text):
        end = literal(text, at)[1] if text[at] == '"' else at + 1
        parts.append(text[at] if end == at + 1 else "_" * (end - at))
        at = end
    return "".join(parts)


def templates():
    """template -> the files that print it."""
    found = {}
    for path in sorted(SOURCES.rglob("*.swift")):
        if "Manual" in path.parts:
            continue
        text = bare(path.read_text())
        for start, end in ranges(text):
            for template in literals(text, start, end):
                if re.search(r"[a-z]", template.replace("{}", "")) and " " in template.strip():
                    found.setdefault(template, set()).add(str(path.relative_to(SOURCES)))
    return found


if __name__ == "__main__":
    for each, files in sorted(templates().items()):
        print(each, sorted(files), sep="\t")
