"""The client of Slack's Web API: it tries once, over connections that are kept.

slack_sdk 3.47.0 opens a connection for each call. With its handshake that costs more than the call
itself, and most where there is no time: when hundreds are to be told «busy».
"""

import socket
import ssl
from functools import cache
from typing import Any, Final
from urllib.request import Request

from pydantic import SecretStr
from slack_sdk import WebClient
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
)
from urllib3.exceptions import (
    TimeoutError as NoAnswerInTime,
)

from bot.config import Settings

_TIMEOUT_S = 10
_KEPT = 32  # connections at most; each thread that calls needs one
# A router may forget a connection that nobody used over night without telling us. The kernel asks
# after 30 s of silence, and three times more; what is dead by then is not used again.
_ALIVE: Final = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))


class KeepingClient(WebClient):
    """Slack's client, but for how a request is carried; through a proxy as ever."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        """Send a request and give what came back, whatever its status.

        Raises:
            ConnectionRefusedError: nothing was sent.
            OSError: it may have been carried out.
        """
        if self.proxy:
            return super()._perform_urllib_http_request_internal(url, req)
        try:
            response = _connections().request(
                "POST",
                url,
                body=req.data if isinstance(req.data, bytes) else None,
                headers=dict(req.header_items()),
                timeout=self.timeout,
                retries=False,
                redirect=False,
            )
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise ConnectionRefusedError("no connection") from error
        except NoAnswerInTime as error:
            raise TimeoutError("no answer in time") from error
        except HTTPError as error:
            raise ConnectionError(type(error).__name__) from error
        return {
            "status": response.status,
            "headers": {name.title(): value for name, value in response.headers.items()},
            "body": response.data.decode(errors="replace"),
        }


def web_client(settings: Settings, *, token: SecretStr | None) -> WebClient:
    """Make a client that tries once: what became of a call, delivery finds out."""
    return KeepingClient(
        ssl=_tls(),
        token=token.get_secret_value() if token else None,
        base_url=settings.api_url,
        timeout=_TIMEOUT_S,
        retry_handlers=[],
    )


@cache
def _connections() -> PoolManager:
    """Keep connections to Slack, for all clients and threads."""
    options = [
        (socket.IPPROTO_TCP, number, value)
        for name, value in _ALIVE
        if (number := getattr(socket, name, None)) is not None
    ]
    return PoolManager(
        maxsize=_KEPT,
        ssl_context=_tls(),
        socket_options=[
            *HTTPConnection.default_socket_options,
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            *options,
        ],
    )


@cache
def _tls() -> ssl.SSLContext:
    """Read the certificates once; without a context the SDK reads them anew for every call."""
    return ssl.create_default_context()
