"""What a host cannot do is a named skip, and a failure where everything must run (IMMURE_MUST_RUN=1, which CI sets)."""

import os

import pytest


def cannot(what):
    """Ends the test: the host lacks `what`."""
    if os.environ.get("IMMURE_MUST_RUN") == "1":
        pytest.fail(f"IMMURE_MUST_RUN=1, but this host cannot: {what}")
    pytest.skip(f"this host cannot: {what}")


def needs(condition, what):
    """Goes on only where the host has `what`."""
    if not condition:
        cannot(what)
