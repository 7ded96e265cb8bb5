"""Bulk edits: what the steps of statemachines/bulk_edit.asl.json do (docs/sql-runs.md).

    pinning      the master as it stands, copied for the query     adopting     a CTAS that somebody ran by hand
    checking     what the query made, held against the base        words        promote and discard
    handover     previews and proposals that wait                  refusing     why a run ends without a commit
    cleaning     what a run leaves behind                          state        what is known of a run

Every step may be taken again, by the same execution of the state machine or by a later one: it finds what was done, and
goes on from there.
"""
