"""Views of a service itself: its health, and the parties that it knows."""
