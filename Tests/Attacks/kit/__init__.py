"""What the tests of faults and attacks share; callers, facts and snapshots come from Tests/Support/harness."""
