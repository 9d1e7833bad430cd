"""What the driver does, one module for each step of a round. Every step is bounded, and starts from what is stored."""
