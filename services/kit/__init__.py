"""What node and matcher share: settings, logs, store, files, signed calls, drivers, the web side. No protocol logic."""
