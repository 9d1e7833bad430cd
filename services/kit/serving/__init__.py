"""Serving an application: the FastAPI application, its host names, and the process around it."""
