"""The league's own data: the live feed (CDN) and the statistics site.

`source` fetches, `client` makes the HTTP calls, the other modules are pure mappings.
"""

PROVIDER = "league"
"""Names the league's files in the landing zone, whichever of its two sources they come from."""
