"""The control: a Bolt app as tutorials write it. It must lose questions where the bot does not.

It answers from the same index with the same desk; what it lacks is the inbox and the outbox.
"""

import os
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from slack_bolt import App  # noqa: E402
from slack_bolt.adapter.socket_mode import SocketModeHandler  # noqa: E402
from slack_sdk import WebClient  # noqa: E402

from bot.config import read_settings  # noqa: E402
from bot.terminal import plain, reply_lines  # noqa: E402
from bot.wiring import open_desk  # noqa: E402
from retrieval import Question  # noqa: E402


def main() -> None:
    settings = read_settings(corpus=None, index=None)
    desk = open_desk(settings, on_progress=lambda _stage, _done, _total: None, say=print)
    desk.warm()
    client = WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    app = App(client=client)

    @app.event("app_mention")
    def _answer(event, say) -> None:
        text = event["text"].partition(">")[2].strip()
        reply = desk.ask(Question(text=text), limit=1)
        say(text=plain(reply_lines(reply))[:3000], thread_ts=event["ts"])

    @app.event("message")
    def _nothing() -> None:
        pass

    SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"], ping_interval=3).connect()
    threading.Event().wait()


if __name__ == "__main__":
    main()
