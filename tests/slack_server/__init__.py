"""A stand-in for Slack: its Web API, its Socket Mode and its requests, on a local port.

    with SlackServer() as slack:
        ...start the app with SLACK_API_URL=slack.api_url...
        ts = slack.mention("What did Rubio urge Pakistan to do?")

It is strict: what Slack refuses is refused here with Slack's error, and noted in `violations`. It
is deterministic: ids and dice come from `seed`; `speed` makes Slack's seconds shorter. Faults are
ordered with `faults` (calls), `sockets` (connections) and `redeliver` (events).

What was compared with Slack, and what was not:

- Methods, their arguments, scopes, tiers and errors: read from Slack's published schemas
  (methods.py, methods.json). No call is answered with an error that Slack is not known to give.
- Payloads: with those recorded in bolt-python's tests (payloads.py).
- Block Kit's fields and limits: with slack_sdk's models and Slack's documents as the project's
  reference has them (elements.py, blocks.py). Blocks that are not there are refused.
- Not documented, so taken from reports: the limit of 13,200 characters of blocks, the errors of a
  used-up response_url, thread_not_found for a post, tombstones.
- Not modelled: streams, files, Enterprise Grid, rotation of tokens, statuses that end after two
  minutes, `block_suggestion`, message unfurling, and the order in which Slack delivers.
- Stricter than Slack: unknown arguments, empty arrays of elements.
"""

from .slack import SlackServer
from .workspace import BOT_USER, TEAM

__all__ = ["BOT_USER", "TEAM", "SlackServer"]
