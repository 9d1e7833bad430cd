"""What commands print: tables, reports and explanations."""
