"""Work outside the event loop: executors, ordered pipelines, drivers and threads."""
