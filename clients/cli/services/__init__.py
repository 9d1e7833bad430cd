"""Commands that start a service or speak to one."""
