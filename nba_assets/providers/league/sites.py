"""The league's two sites as the library `nba_api` calls them: with its headers, its order of parameters, its proxy.

Its HTTP clients alone are used, not its tables: what is kept is the response as it came. Pace, retries and the cache of
responses are in `client`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import requests

from nba_assets.providers.delivery import ProviderError

Kind = Literal["live", "statistics"]
"""The live feed (CDN), or the statistics site."""

INSTALL = "fetching from the league's sites needs the library nba_api: pip install 'nba-assets[nba]'"


class Site(Protocol):
    """One of the two sites."""

    def get(self, path: str, parameters: Mapping[str, str], timeouts: tuple[float, float]) -> requests.Response:
        """The response to a call, whatever its status; raises requests.RequestException where there is none.

        `timeouts` are seconds to connect and between bytes.
        """
        ...


def site(address: str, kind: Kind) -> Site:
    """A site at an address, below which its paths lie; raises ProviderError where nba_api is not installed."""
    try:
        from nba_api.live.nba.library.http import NBALiveHTTP
        from nba_api.stats.library.http import NBAStatsHTTP
    except ImportError:
        raise ProviderError(INSTALL) from None
    return _LibrarySite(address, NBALiveHTTP if kind == "live" else NBAStatsHTTP)


class _LibrarySite:
    """A site called through an HTTP client of nba_api, in a session of its own."""

    def __init__(self, address: str, client: Any) -> None:
        session = requests.Session()
        # The library hands on neither the status of a response nor its headers.
        session.hooks["response"].append(self._remember)
        # It keeps the session in the class: a class for each site keeps them apart.
        self._client = type("Client", (client,), {"base_url": f"{address}/{{endpoint}}", "_session": session})()
        # It offers Brotli, which `requests` can only read where another package is installed, and names the host that
        # it knows, which is not that of a mirror.
        offered = {name: value for name, value in client.headers.items() if name != "Host"}
        self._headers = {**offered, "Accept-Encoding": "gzip, deflate"}
        self._newest: requests.Response | None = None

    def get(self, path: str, parameters: Mapping[str, str], timeouts: tuple[float, float]) -> requests.Response:
        self._client.send_api_request(path, parameters, headers=self._headers, timeout=timeouts)
        return self._newest

    def _remember(self, response: requests.Response, **_: Any) -> None:
        self._newest = response
