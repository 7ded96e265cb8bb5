"""The state machine of SQL edits: started once a run, anew where its execution is gone, and answered where it
waits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from towline import keys
from towline.aws import FAILURES, failure

NAME_MAX = 80  # characters of an execution's name (Step Functions, StartExecution)
ATTEMPTS = 20  # executions of one run before a person has to look
_GONE = ("TaskDoesNotExist", "TaskTimedOut", "InvalidToken")
_RUNNING = "RUNNING"


@dataclass(frozen=True)
class Machine:
    """The state machine, through a boto3 client. `arn` may be empty where tokens are answered only."""

    client: Any
    arn: str = ""

    def start(self, run: keys.Run) -> None:
        """Start the run's first execution; where it was started before, nothing happens."""
        self._start(run, 1)

    def ensure(self, run: keys.Run) -> bool:
        """Start a run anew whose executions are all over. Whether one was started."""
        for attempt in range(1, ATTEMPTS + 1):
            status = self._status(run, attempt)
            if status is None:
                return self._start(run, attempt)
            if status == _RUNNING:
                return False
        return False

    def answer(self, token: str, output: Mapping[str, object]) -> bool:
        """Let the execution go on that waits under this token. False: it does not wait any more."""
        try:
            self.client.send_task_success(taskToken=token, output=json.dumps(output))
        except FAILURES as error:
            if _code(error) in _GONE:
                return False
            raise failure(error, "Step Functions (send_task_success)") from error
        return True

    def _start(self, run: keys.Run, attempt: int) -> bool:
        about = json.dumps({"dataset": run.dataset, "run": run.id})
        try:
            self.client.start_execution(stateMachineArn=self.arn, name=name(run, attempt), input=about)
        except FAILURES as error:
            if _code(error) == "ExecutionAlreadyExists":
                return False
            raise failure(error, f"Step Functions, {self.arn} (start_execution)") from error
        return True

    def _status(self, run: keys.Run, attempt: int) -> str | None:
        """How an execution stands; None: it was never started (or is forgotten, after 90 days)."""
        arn = f"{self.arn.replace(':stateMachine:', ':execution:')}:{name(run, attempt)}"
        try:
            return str(self.client.describe_execution(executionArn=arn)["status"])
        except FAILURES as error:
            if _code(error) == "ExecutionDoesNotExist":
                return None
            raise failure(error, f"Step Functions, {arn} (describe_execution)") from error


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def name(run: keys.Run, attempt: int = 1) -> str:
    """The name of a run's execution. Names are unique, so that the same run is never started twice."""
    plain = f"{run.dataset}.{run.id}" + (f".{attempt}" if attempt > 1 else "")
    if len(plain) <= NAME_MAX:
        return plain
    return f"{plain[:30]}-{sha256(plain.encode()).hexdigest()[:40]}"
