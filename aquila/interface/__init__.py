"""Models of the operator interfaces: requests and views that services and people exchange, none of them signed."""
