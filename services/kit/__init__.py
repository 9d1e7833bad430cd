"""Code shared by node and matcher: settings, logs, store, files, signed calls, drivers, HTTP. No protocol logic."""
