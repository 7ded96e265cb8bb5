"""`towline demo`: the local stack with a sample table to play with."""

from __future__ import annotations

from pathlib import Path

import click

from towline import connect
from towline.cli.options import Call, called
from towline.cli.output import progress, show
from towline.cli.up import announce, detach_option, editor_port_option, port_option, start, stay
from towline.dataset import PATIENCE, Dataset
from towline.errors import LocalStackError
from towline.files import write_table
from towline.first_contract import choose
from towline.local.stack import Start
from towline.sample import sample_table

SAMPLE = "net_tows"
_TRY = """
Try:
  in the browser   open {editor}, change a cell, say why, submit
  in this shell    towline show net_tows --where tow=4
                   towline edit net_tows --where tow=4,net=1 --set volume_filtered=1234.5 \\
                       --note "flow meter recalibrated" --wait
                   towline log net_tows
                   towline diff net_tows 1 2
  in Python        import towline; df = towline.open("net_tows").read()
"""


@click.command("demo")
@port_option
@editor_port_option
@detach_option
@called
def command(call: Call, port: int, editor_port: int | None, detach: bool) -> None:
    """Start the local stack and the editor with a sample table, net_tows: 125 invented net tows.

    The table is made once; what you did to it is still there the next time.
    """
    info = start(call, Start(port=port, editor_port=editor_port, remember=True), detach=detach)
    connection = connect.here(Path(info.data_dir))
    if SAMPLE not in connection.datasets():
        with progress("making the sample table", quiet=call.as_json):
            make_sample(connection.dataset(SAMPLE))
    announce(call, info)
    if not call.as_json:
        show(_TRY.format(editor=info.editor))
    if not detach:
        stay(call, info)


def make_sample(dataset: Dataset) -> None:
    """Create the sample and wait until it is there. Raises LocalStackError when it is refused."""
    table = sample_table()
    contract = choose(table, dataset.name, ("tow", "net")).contract
    body = write_table(table, "parquet")
    receipt = dataset.send(dataset.create("sample.parquet", body, contract, "the sample table")).wait(PATIENCE)
    if receipt.status != "committed":
        raise LocalStackError(f"the sample table was {receipt.status}: {receipt.message}")
