"""The matcher, run by the secretariat: stores statements and chunks, joins tokens, and announces. It calls nobody."""
