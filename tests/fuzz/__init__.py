"""Any bytes at all against the laws of inspection; `make fuzz` looks for those that break one."""
