"""Run by the Secretariat: the matcher stores statements and chunks, joins tokens, and announces. It calls nobody."""
