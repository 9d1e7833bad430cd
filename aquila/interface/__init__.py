"""What services show and take from people: the models of the operator interfaces, none of them signed."""
