"""Administration of a service on its machine: backup and restore of its home, and the doctor that looks at it."""
