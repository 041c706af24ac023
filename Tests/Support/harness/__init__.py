"""What the tests share: callers of the binary, probes that run inside a jail, and what the host must look like after."""
