"""Every error Towline raises, in one tree.

    TowlineError
    ├── UsageError                  the request itself is wrong; nothing was tried
    │   ├── UnreadableFile          a table file that cannot be read unambiguously
    │   ├── BadProposal             a proposal that cannot be read, or does not fit its dataset
    │   └── QueryFailed             a query that Athena did not run to its end
    ├── ContractError               a contract that contradicts itself
    ├── NotFound                    no such dataset, commit, proposal or object
    ├── TooLarge                    an object exceeds what its reader allows (defined in store.py)
    ├── Refused                     a policy or a permission says no
    ├── Unavailable                 the store or the local stack cannot be reached; nothing changed
    │   └── OutcomeUnknown          the store did not say whether a write happened: look before you act
    ├── PreconditionFailed          412: the object is not what the write expected
    │   └── Contended               409: another write to the same key interfered; read again, then retry
    ├── OpenConflicts               conflicts that nobody has decided yet; nothing was sent
    ├── LostRace                    another commit got there first, and again at every retry
    ├── Corrupt                     stored data contradicts itself
    └── LocalStackError             the embedded AWS cannot start, or is not running

Violations and conflicts are not errors: they are values in a receipt. `kind` is stable and meant for programs;
the message is meant for people, and says what was found, what was expected and what to do next.
"""

from __future__ import annotations

from typing import ClassVar

# Exit codes of the command line (ARCHITECTURE.md); 1 is left to Python's own traceback.
EXIT_OK, EXIT_USAGE, EXIT_VIOLATIONS, EXIT_CONFLICT = 0, 2, 10, 11
EXIT_UNAVAILABLE, EXIT_NOT_FOUND, EXIT_REFUSED = 12, 13, 14


class TowlineError(Exception):
    """The root. `kind` names the error to programs; `exit_code` is what the command line returns for it."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = EXIT_UNAVAILABLE


class UsageError(TowlineError):
    """The request itself is wrong; nothing was tried."""

    kind = "usage"
    exit_code = EXIT_USAGE


class UnreadableFile(UsageError):
    """A table file (CSV, XLSX, Parquet) that cannot be read unambiguously."""

    kind = "unreadable_file"
    exit_code = EXIT_VIOLATIONS


class BadProposal(UsageError):
    """A proposal that cannot be read or does not fit its dataset. `rule` names the rule it breaks."""

    kind = "bad_proposal"
    exit_code = EXIT_VIOLATIONS

    def __init__(self, message: str, *, rule: str = "proposal.format") -> None:
        super().__init__(message)
        self.rule = rule


class QueryFailed(UsageError):
    """A query that Athena did not run to its end: it could not, or it was stopped. The message has Athena's reason."""

    kind = "query_failed"


class ContractError(TowlineError):
    """A contract that contradicts itself or cannot be read."""

    kind = "contract"
    exit_code = EXIT_USAGE


class NotFound(TowlineError):
    """There is no such dataset, commit, proposal or object."""

    kind = "not_found"
    exit_code = EXIT_NOT_FOUND


class Refused(TowlineError):
    """A policy or a permission says no."""

    kind = "refused"
    exit_code = EXIT_REFUSED


class Unavailable(TowlineError):
    """The store or the local stack cannot be reached, or has no room; nothing changed."""

    kind = "unavailable"


class OutcomeUnknown(Unavailable):
    """A write was sent and the answer never came: it may or may not have happened. Look before you act."""

    kind = "outcome_unknown"


class PreconditionFailed(TowlineError):
    """412: the object is not what the write expected it to be."""

    kind = "precondition_failed"


class Contended(PreconditionFailed):
    """409: another write to the same key interfered. Read again, then retry."""

    kind = "contended"


class OpenConflicts(TowlineError):
    """Conflicts that nobody has decided yet; nothing was sent."""

    kind = "conflict"
    exit_code = EXIT_CONFLICT


class LostRace(TowlineError):
    """Another commit got there first, and again at every retry. The proposal waits for the next round."""

    kind = "lost_race"


class Corrupt(TowlineError):
    """Stored data contradicts itself."""

    kind = "corrupt"


class LocalStackError(TowlineError):
    """The embedded AWS cannot start, or is not running."""

    kind = "local_stack"
