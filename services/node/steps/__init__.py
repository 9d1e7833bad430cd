"""The steps of the driver, one module for each step of a round. Every step is bounded, and starts from stored state."""
