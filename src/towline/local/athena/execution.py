"""A query execution: the record that GetQueryExecution shows, its states, and the event of each change."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

from towline.local.athena.loop import on_loop

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"
FINAL = frozenset((SUCCEEDED, FAILED, CANCELLED))

STOPPED = "Query cancelled by user"
_INTERRUPT_SECONDS = 0.02

log = logging.getLogger("towline.athena")

Record = dict[str, Any]


class Execution:
    """One query on its way. `record` is MiniStack's, and replaced in it part by part: it may be saved any time."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.stopped = threading.Event()
        self.ended = threading.Event()
        self._change = threading.Lock()
        self._sequence = 0
        self._connection: Any = None
        if self.state in FINAL:
            self.ended.set()

    @property
    def id(self) -> str:
        return str(self.record["QueryExecutionId"])

    @property
    def state(self) -> str:
        return str(self.record["Status"]["State"])

    def interruptible(self, connection: Any) -> None:
        """From here on `stop` interrupts what this DuckDB connection runs; None when it is closed."""
        with self._change:
            self._connection = connection

    def stop(self) -> None:
        """Ask the query to end; whoever runs it moves it to CANCELLED. One that waits its turn is so at once."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        if self.state == QUEUED:
            self.move(CANCELLED, StateChangeReason=STOPPED)
        threading.Thread(target=self._interrupt, daemon=True).start()

    def _interrupt(self) -> None:
        """Again and again: an interruption between two statements of the query's is lost."""
        while not self.ended.wait(_INTERRUPT_SECONDS):
            with self._change:
                if self._connection is not None:
                    self._connection.interrupt()

    def count(self, **statistics: Any) -> None:
        """Set statistics of the execution (names as in GetQueryExecution)."""
        self.record["Statistics"] = {**self.record["Statistics"], **statistics}

    def move(self, state: str, **status: Any) -> bool:
        """Go to `state` and tell it; False where the execution had ended already."""
        with self._change:
            previous = self.record["Status"]
            if previous["State"] in FINAL:
                return False
            if state in FINAL:
                status["CompletionDateTime"] = round(time.time(), 3)
            self.record["Status"] = {**previous, "State": state, **status}
            self._sequence += 1
            sequence = self._sequence
        try:
            on_loop(announce, self.record, None if state == QUEUED else previous["State"], sequence)
        except Exception:  # events are told as best as can be, here as on AWS; the query goes on
            log.exception("could not tell that query %s is %s", self.id, state)
        if state in FINAL:
            self.ended.set()
        return True


def announce(record: Record, previous: str | None, sequence: int) -> None:
    """Put the event "Athena Query State Change" on the default bus.

    https://docs.aws.amazon.com/athena/latest/ug/athena-events.html
    """
    from ministack.services import eventbridge

    status = record["Status"]
    detail = {
        "versionId": "0",
        "currentState": status["State"],
        **({"previousState": previous} if previous else {}),
        **({"athenaError": _error(status["AthenaError"])} if "AthenaError" in status else {}),
        "statementType": record["StatementType"],
        "queryExecutionId": record["QueryExecutionId"],
        "workgroupName": record["WorkGroup"],
        "sequenceNumber": str(sequence),
    }
    entry = {"Source": "aws.athena", "DetailType": "Athena Query State Change", "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _error(error: dict[str, Any]) -> dict[str, Any]:
    """Events spell the members in lower camel case."""
    return {name[0].lower() + name[1:]: value for name, value in error.items()}
