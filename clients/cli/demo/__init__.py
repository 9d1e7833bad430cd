"""The demo: invented persons of three countries, and one round of three parties and a matcher as real processes."""
