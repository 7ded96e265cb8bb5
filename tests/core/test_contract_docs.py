"""The documentation of contracts says what the code does."""

from __future__ import annotations

import json
import re

from tests.conftest import ROOT
from towline.contract import Contract
from towline.rules.field import TYPES

PAGE = (ROOT / "docs" / "contract.md").read_text()
SOURCE = ROOT / "src" / "towline"
_RULE = re.compile(r'"((?:column|row|type|key|number|text|constraint|check)\.[a-zA-Z]+)"')


def rules_in_code() -> set[str]:
    """The rule ids that this part of the code can emit: they are literals, but for types and checks."""
    modules = [SOURCE / "checks.py", SOURCE / "contract.py", *(SOURCE / "rules").glob("*.py")]
    found = {rule for path in modules for rule in _RULE.findall(path.read_text())}
    return found | {f"type.{type}" for type in TYPES} | {"check.<name>"}


def test_every_rule_is_documented_and_no_other() -> None:
    (section,) = re.findall(r"^## Rules and severities$(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    documented = re.findall(r"^\| `([a-zA-Z.<>]+)` \|", section, re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == rules_in_code()


def test_every_json_example_is_a_contract() -> None:
    examples = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert examples
    for example in examples:
        assert json.loads(Contract.parse(example).to_json()) == json.loads(example)
