"""The health of a service: found out in one place, for its people, for supervisors and for metrics."""
