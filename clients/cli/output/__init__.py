"""Output of commands: tables, reports and explanations."""
