"""The pages of a node and of the matcher: rendered on the server with the typed client, usable without JavaScript.

`aquila node serve` and `aquila matcher serve` serve them beside the service in one process; `aquila web` serves them
alone, for a service elsewhere. Either way the pages know no more than the session of whoever looks may fetch.
"""
