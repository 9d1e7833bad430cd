"""HTTP between services: routes, limits of connections and rates, signed calls, and the client of a peer."""
