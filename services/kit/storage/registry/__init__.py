"""The registry of a service: signed statements on it, the parties' acceptances, and views of both."""
