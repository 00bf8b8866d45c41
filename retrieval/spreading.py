"""A Dask cluster: its workers make shards, and this process alone writes and publishes them.

The only module that knows dask. An order goes to any worker, and the finished files come back as
bytes. So the machines share no folder, and a worker that dies leaves nothing behind that counts:
dask gives its shards to others. A shard is a pure function of its order, so twice is once.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from retrieval.errors import ClusterFault
from retrieval.orders import Held, Made, Order, Sent, Traits, make_ordered

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

CONNECT_S = 5.0
PATIENCE_S = 60.0  # without any news; then a cluster without workers is an error
LEAST_IN_FLIGHT = 8  # shards that are ordered at once; else two for each worker
TRIES = 3  # of a shard that fails; one whose worker dies is dask's affair («allowed-failures»)
TOLD_STEP = 0.01  # a worker tells of so much more of its shard

_LOST = "the connection was lost"
_ADDRESS = re.compile(r"[a-z]+://\S+")


def spread(
    address: str,
    orders: Iterable[Order],
    *,
    on_share: Callable[[str, float], None],
) -> Generator[tuple[str, tuple[Made, ...]], None, None]:
    """Have shards made on a cluster; give their names and files as they are finished.

    Close it, or what is ordered is made in vain.

    Args:
        orders: Taken when there is room for them: few are in memory at once.
        on_share: Told which share of a shard is made; less than before where a worker died.

    Raises:
        ClusterFault: The cluster is away or has no workers, they are unlike this machine, or one of
            the shards fails again and again.
    """
    left = iter(orders)
    with _connected(address) as client:
        running = _Running(address, client)
        while running.order(left):
            identity, share = running.next()
            if share is None:
                yield identity, running.take(identity)
            else:
                on_share(identity, share)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    if not _ADDRESS.fullmatch(address):
        raise ClusterFault(
            f"{address!r} is no address of a Dask scheduler. Name one such as tcp://HOST:8786"
        )
    try:
        import dask
        from distributed import Client
    except ImportError as cause:
        raise ClusterFault(
            "A Dask cluster needs packages that are not installed: pip install 'clippings[dask]'"
        ) from cause
    # What happens is told as an error.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL + 1)
    # Vectors that need not be computed are more than dask likes to see in an order.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
        try:
            client = Client(address, timeout=CONNECT_S, set_as_default=False, name="clippings")
        except (OSError, ValueError) as cause:
            raise _away(address, str(cause)) from cause
        with client:  # its end takes the orders back
            yield client


class _Running:
    """What is ordered and has not arrived."""

    def __init__(self, address: str, client: Client) -> None:
        self._address, self._client = address, client
        self._topic = f"clippings-{client.id}"
        self._news: SimpleQueue[tuple[str, float | None]] = SimpleQueue()
        self._orders: dict[str, tuple[Order, Future[tuple[Made, ...]]]] = {}
        self._room = 0  # for so many orders
        client.subscribe_topic(self._topic, lambda event: self._news.put(tuple(event[1])))

    def order(self, left: Iterator[Order]) -> bool:
        """Order as much as there is room for; tell whether anything is to come."""
        if not self._orders:
            self._make_room()
        while len(self._orders) < self._room and (order := next(left, None)) is not None:
            future = self._client.submit(
                _make,
                order.identity,
                articles=order.articles,
                held=order.held,
                model=order.model,
                traits=order.traits,
                topic=self._topic,
                key=f"clippings-{order.identity}-{self._client.id}",
                retries=TRIES - 1,
            )
            self._orders[order.identity] = order, future
            future.add_done_callback(partial(self._tell_done, order.identity))
        return bool(self._orders)

    def next(self) -> tuple[str, float | None]:
        """Wait for the next shard that is finished or failed (None), or for the share of one."""
        while True:
            try:
                return self._news.get(timeout=PATIENCE_S)
            except Empty:
                if not self._workers():
                    raise ClusterFault(
                        f"The Dask cluster at {self._address} has no workers. Start some, one "
                        f"thread each: dask worker {self._address} --nthreads 1. What is finished "
                        "is kept"
                    ) from None

    def take(self, identity: str) -> tuple[Made, ...]:
        """Give the files of a shard that is finished."""
        self._make_room()  # workers may have come
        return _result(self._address, *self._orders.pop(identity))

    def _make_room(self) -> None:
        self._room = max(LEAST_IN_FLIGHT, 2 * self._workers())

    def _workers(self) -> int:
        if self._client.status != "running":
            raise _away(self._address, _LOST)
        try:
            return len(self._client.nthreads())
        except OSError as cause:
            raise _away(self._address, _LOST) from cause

    def _tell_done(self, identity: str, _future: Future[tuple[Made, ...]]) -> None:
        self._news.put((identity, None))


def _result(address: str, order: Order, future: Future[tuple[Made, ...]]) -> tuple[Made, ...]:
    from distributed import CancelledError
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except ClusterFault:
        raise
    except CancelledError as cause:
        raise _away(address, _LOST) from cause
    except KilledWorker as cause:
        raise ClusterFault(
            f"Workers that had shard {order} died, {cause.allowed_failures + 1} of them. Their "
            f"logs say why, the last one's is at {cause.last_worker.address}: perhaps they need "
            "more memory. What is finished is kept; then run this again"
        ) from cause
    except Exception as cause:
        raise ClusterFault(
            f"Shard {order} can not be made on the Dask cluster at {address}: "
            f"{type(cause).__name__}: {cause}. The logs of its workers say more. What is finished "
            "is kept; run this again, or without --dask"
        ) from cause


def _away(address: str, reason: str) -> ClusterFault:
    return ClusterFault(
        f"No Dask scheduler answers at {address}: {reason}. Start it (dask scheduler), or correct "
        "--dask; without it the articles are indexed on this machine. What is finished is kept"
    )


def _make(
    identity: str,
    *,
    articles: tuple[Sent, ...],
    held: Held | None,
    model: tuple[str, str],
    traits: Traits,
    topic: str,
) -> tuple[Made, ...]:
    """Do what is ordered; this runs on a worker. The arguments are those of an order, plain.

    Args:
        topic: Whom to tell how far it is.
    """
    from distributed import get_worker

    worker: Worker = get_worker()
    return make_ordered(
        Order(identity=identity, articles=articles, held=held, model=model, traits=traits),
        worker=worker.address,
        scratch=Path(worker.local_directory),
        on_share=_Teller(worker, topic, identity).tell,
    )


class _Teller:
    """Tells those who ordered a shard how far it is, now and then."""

    def __init__(self, worker: Worker, topic: str, identity: str) -> None:
        self._worker, self._topic, self._identity = worker, topic, identity
        self._told = 0.0

    def tell(self, share: float) -> None:
        if share >= self._told + TOLD_STEP:
            self._told = share
            self._worker.log_event(self._topic, (self._identity, share))
